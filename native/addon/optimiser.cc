// The optimiser step over the flat block that holds every parameter.
#include <vector>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/job.h"
#include "core/network.h"

namespace larmor::addon {
namespace {

struct Range {
  size_t begin, end;
};

/// Pairs of element indices, begin and end, ascending, none beyond `length`.
std::vector<Range> ranges(const Napi::CallbackInfo& info, size_t index, size_t length) {
  const Napi::Value value = info[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array)
    fail_argument(info.Env(), "ranges", "a Uint32Array");
  const auto array = value.As<Napi::Uint32Array>();
  if (array.ElementLength() % 2 != 0) fail_argument(info.Env(), "ranges", "pairs of begin and end");
  std::vector<Range> result;
  size_t previous = 0;
  for (size_t i = 0; i < array.ElementLength(); i += 2) {
    const Range range{array[i], array[i + 1]};
    if (range.begin < previous || range.end < range.begin || range.end > length)
      fail_argument(info.Env(), "ranges", "ascending pairs of begin and end within the parameters");
    result.push_back(range);
    previous = range.end;
  }
  return result;
}

/// adamStep(control, parameters, gradients, firstMoments, secondMoments, ranges, step, learningRate, beta1, beta2, epsilon, threads)
Napi::Value adam_step(const Napi::CallbackInfo& info) {
  if (!info[1].IsTypedArray()) fail_argument(info.Env(), "parameters", "a Float32Array");
  const size_t length = info[1].As<Napi::TypedArray>().ElementLength();
  float* const parameters = float32(info, 1, "parameters", length);
  const float* const gradients = float32(info, 2, "gradients", length);
  float* const first = float32(info, 3, "firstMoments", length);
  float* const second = float32(info, 4, "secondMoments", length);
  const std::vector<Range> trained = ranges(info, 5, length);
  const AdamOptions options{.learning_rate = number(info, 7, "learningRate"),
                            .beta1 = number(info, 8, "beta1"),
                            .beta2 = number(info, 9, "beta2"),
                            .epsilon = number(info, 10, "epsilon"),
                            .step = count(info, 6, "step")};
  if (options.step == 0) fail_argument(info.Env(), "step", "at least 1");
  const Pooled parallel(static_cast<int>(count(info, 11, "threads")));
  return Job::run(info.Env(), info[0], {info[1], info[2], info[3], info[4]}, [=](const JobControl&) {
    for (const Range& range : trained)
      if (!all_finite(parallel, range.end - range.begin, gradients + range.begin))
        throw CodedError("ERR_DIVERGED", "gradients hold NaN or infinity at step " + std::to_string(options.step));
    for (const Range& range : trained)
      larmor::adam_step(parallel, range.end - range.begin, options, gradients + range.begin, parameters + range.begin, first + range.begin,
                        second + range.begin);
  });
}

}  // namespace

void export_optimiser(Napi::Env env, Napi::Object exports) { exports.Set("adamStep", Napi::Function::New(env, adam_step, "adamStep")); }

}  // namespace larmor::addon
