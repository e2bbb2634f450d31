// The optimiser step over the flat block that holds every parameter, and what goes before and after it.
#include <memory>
#include <vector>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/job.h"
#include "addon/ranges.h"
#include "core/network.h"
#include "core/parameters.h"

namespace larmor::addon {
namespace {

/// The length of an array that must be a Float32Array; `float32` checks the type.
size_t expect_floats(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsTypedArray()) fail_argument(info.Env(), name, "a Float32Array");
  return info[index].As<Napi::TypedArray>().ElementLength();
}

/// adamStep(control, parameters, gradients, firstMoments, secondMoments, ranges, step, learningRate, beta1, beta2, epsilon, threads)
Napi::Value adam_step(const Napi::CallbackInfo& info) {
  const size_t length = expect_floats(info, 1, "parameters");
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

/// parameterNorm(control, x, threads)
Napi::Value parameter_norm(const Napi::CallbackInfo& info) {
  const size_t length = expect_floats(info, 1, "x");
  const float* const x = float32(info, 1, "x", length);
  const Pooled parallel(static_cast<int>(count(info, 2, "threads")));
  const auto result = std::make_shared<double>();
  return Job::run(
      info.Env(), info[0], {info[1]}, [=](const JobControl&) { *result = norm(parallel, length, x); },
      [result](Napi::Env env) { return Napi::Number::New(env, *result); });
}

/// blendParameters(control, keep, y, add, x, threads)
Napi::Value blend_parameters(const Napi::CallbackInfo& info) {
  const size_t length = expect_floats(info, 2, "y");
  const auto keep = static_cast<float>(number(info, 1, "keep")), add = static_cast<float>(number(info, 3, "add"));
  float* const y = float32(info, 2, "y", length);
  const float* const x = float32(info, 4, "x", length);
  const Pooled parallel(static_cast<int>(count(info, 5, "threads")));
  return Job::run(info.Env(), info[0], {info[2], info[4]}, [=](const JobControl&) { blend(parallel, length, keep, y, add, x); });
}

/// approachParameters(control, rate, y, x, threads)
Napi::Value approach_parameters(const Napi::CallbackInfo& info) {
  const size_t length = expect_floats(info, 2, "y");
  const auto rate = static_cast<float>(number(info, 1, "rate"));
  float* const y = float32(info, 2, "y", length);
  const float* const x = float32(info, 3, "x", length);
  const Pooled parallel(static_cast<int>(count(info, 4, "threads")));
  return Job::run(info.Env(), info[0], {info[2], info[3]}, [=](const JobControl&) { approach(parallel, length, rate, y, x); });
}

}  // namespace

void export_optimiser(Napi::Env env, Napi::Object exports) {
  exports.Set("adamStep", Napi::Function::New(env, adam_step, "adamStep"));
  exports.Set("parameterNorm", Napi::Function::New(env, parameter_norm, "parameterNorm"));
  exports.Set("blendParameters", Napi::Function::New(env, blend_parameters, "blendParameters"));
  exports.Set("approachParameters", Napi::Function::New(env, approach_parameters, "approachParameters"));
}

}  // namespace larmor::addon
