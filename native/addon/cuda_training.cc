// Passes over all parameters of a network on a CUDA device, for JavaScript: Adam, norm, weighted sums.
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/addon.h"
#include "addon/cuda_arguments.h"
#include "addon/job.h"
#include "addon/ranges.h"

namespace larmor::addon {
namespace {

float* floats(const std::shared_ptr<gpu::DeviceMemory>& memory) { return memory->data(); }
size_t length_of(const std::shared_ptr<gpu::DeviceMemory>& memory) { return memory->bytes() / sizeof(float); }

/// Queues call(table, context) as a job that holds `memory`; what it throws rejects.
template <class Call>
Napi::Value run(const Napi::CallbackInfo& info, const std::vector<std::shared_ptr<gpu::DeviceMemory>>& memory, Call call, Job::Result result = {}) {
  return Job::run(
      info.Env(), info[0], {}, [context = cuda_context(info), memory, call](const JobControl&) { context->use(call); }, std::move(result));
}

/// ||x||_2, waited for.
double norm_of(const LarmorCudaTable& table, LarmorCudaContext* c, const gpu::DeviceMemory& x, gpu::DeviceMemory& scratch) {
  float squares = 0;
  gpu::check_cuda(table.squared_norm(c, x.bytes() / sizeof(float), x.data(), scratch.data()), "squared_norm");
  gpu::check_cuda(table.download(c, &squares, scratch.data(), sizeof squares), "download");
  return std::sqrt(double{squares});
}

/// cudaAdam(control, context, weights, gradients, firstMoments, secondMoments, scratch, ranges, step, learningRate, beta1, beta2, epsilon):
/// Promise<void>; scratch is one float.
Napi::Value adam(const Napi::CallbackInfo& info) {
  const auto weights = device_memory(info, 2, "weights");
  const size_t length = length_of(weights);
  const auto gradients = device_floats(info, 3, "gradients", length), first = device_floats(info, 4, "firstMoments", length),
             second = device_floats(info, 5, "secondMoments", length), scratch = device_floats(info, 6, "scratch", 1);
  const std::vector<Range> trained = ranges(info, 7, length);
  const LarmorCudaAdam options{.learning_rate = number(info, 9, "learningRate"),
                               .beta1 = number(info, 10, "beta1"),
                               .beta2 = number(info, 11, "beta2"),
                               .epsilon = number(info, 12, "epsilon"),
                               .step = count(info, 8, "step")};
  if (options.step == 0) fail_argument(info.Env(), "step", "at least 1");
  return run(info, {weights, gradients, first, second, scratch}, [=](const LarmorCudaTable& table, LarmorCudaContext* c) {
    if (!std::isfinite(norm_of(table, c, *gradients, *scratch)))
      throw CodedError("ERR_DIVERGED", "gradients hold NaN or infinity at step " + std::to_string(options.step));
    for (const Range& range : trained)
      gpu::check_cuda(table.adam(c, &options, range.end - range.begin, floats(weights) + range.begin, floats(gradients) + range.begin, floats(first) + range.begin, floats(second) + range.begin),
                      "adam");
  });
}

/// cudaNorm(control, context, x, scratch): Promise<||x||_2>.
Napi::Value norm(const Napi::CallbackInfo& info) {
  const auto x = device_memory(info, 2, "x"), scratch = device_floats(info, 3, "scratch", 1);
  const auto result = std::make_shared<double>();
  return run(
      info, {x, scratch}, [=](const LarmorCudaTable& table, LarmorCudaContext* c) { *result = norm_of(table, c, *x, *scratch); },
      [result](Napi::Env env) { return Napi::Number::New(env, *result); });
}

/// cudaZero(control, context, memory): Promise<void>.
Napi::Value zero(const Napi::CallbackInfo& info) {
  const auto memory = device_memory(info, 2, "memory");
  return run(info, {memory}, [=](const LarmorCudaTable& table, LarmorCudaContext* c) {
    gpu::check_cuda(table.fill_zero(c, memory->data(), memory->bytes()), "fill_zero");
  });
}

/// cudaCopy(control, context, to, from): Promise<void>.
Napi::Value copy(const Napi::CallbackInfo& info) {
  const auto to = device_memory(info, 2, "to"), from = device_floats(info, 3, "from", length_of(to));
  return run(info, {to, from}, [=](const LarmorCudaTable& table, LarmorCudaContext* c) {
    gpu::check_cuda(table.copy(c, to->data(), from->data(), to->bytes()), "copy");
  });
}

/// cudaBlend(control, context, keep, y, add, x): Promise<void>; y = keep y + add x, x may be y.
Napi::Value blend(const Napi::CallbackInfo& info) {
  const auto keep = static_cast<float>(number(info, 2, "keep")), add = static_cast<float>(number(info, 4, "add"));
  const auto y = device_memory(info, 3, "y"), x = device_floats(info, 5, "x", length_of(y));
  return run(info, {y, x}, [=](const LarmorCudaTable& table, LarmorCudaContext* c) {
    const size_t length = length_of(y);
    if (x == y) return gpu::check_cuda(table.scale(c, length, keep + add, floats(y)), "scale");
    // What y held may be no number: then 0 times it is none either.
    if (keep == 0) gpu::check_cuda(table.fill_zero(c, floats(y), y->bytes()), "fill_zero");
    else if (keep != 1) gpu::check_cuda(table.scale(c, length, keep, floats(y)), "scale");
    gpu::check_cuda(table.add_scaled(c, length, add, floats(x), floats(y)), "add_scaled");
  });
}

/// cudaApproach(control, context, rate, y, x): Promise<void>; y += rate (x - y).
Napi::Value approach(const Napi::CallbackInfo& info) {
  const auto rate = static_cast<float>(number(info, 2, "rate"));
  const auto y = device_memory(info, 3, "y"), x = device_floats(info, 4, "x", length_of(y));
  return run(info, {y, x}, [=](const LarmorCudaTable& table, LarmorCudaContext* c) {
    gpu::check_cuda(table.approach(c, length_of(y), rate, floats(x), floats(y)), "approach");
  });
}

}  // namespace

void export_cuda_training(Napi::Env env, Napi::Object exports) {
  exports.Set("cudaAdam", Napi::Function::New(env, adam, "cudaAdam"));
  exports.Set("cudaNorm", Napi::Function::New(env, norm, "cudaNorm"));
  exports.Set("cudaZero", Napi::Function::New(env, zero, "cudaZero"));
  exports.Set("cudaCopy", Napi::Function::New(env, copy, "cudaCopy"));
  exports.Set("cudaBlend", Napi::Function::New(env, blend, "cudaBlend"));
  exports.Set("cudaApproach", Napi::Function::New(env, approach, "cudaApproach"));
}

}  // namespace larmor::addon
