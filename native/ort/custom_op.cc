// What every custom operator shares: attributes, tensors and loops on the session's threads.
#include "ort/custom_op.h"

#include <atomic>
#include <exception>
#include <mutex>

#include "ort/cpu_compute.h"

namespace larmor::ort {
namespace {

using TensorShape = Owned<&Api::ReleaseTensorTypeAndShapeInfo, OrtTensorTypeAndShapeInfo>;

/// True when the attribute was read; an absent one is not an error.
bool found(OrtStatus* status) {
  if (status == nullptr) return true;
  api().ReleaseStatus(status);
  return false;
}

}  // namespace

float Attributes::number(const char* name, float fallback) const {
  float value = 0;
  return found(api().KernelInfoGetAttribute_float(info_, name, &value)) ? value : fallback;
}

int64_t Attributes::integer(const char* name, int64_t fallback) const {
  int64_t value = 0;
  return found(api().KernelInfoGetAttribute_int64(info_, name, &value)) ? value : fallback;
}

std::string Attributes::text(const char* name, const char* fallback) const {
  size_t size = 0;
  if (!found(api().KernelInfoGetAttribute_string(info_, name, nullptr, &size)) || size == 0) return fallback;
  std::string value(size, '\0');
  check(api().KernelInfoGetAttribute_string(info_, name, value.data(), &size), name);
  value.resize(size - 1);  // the library counts the closing zero
  return value;
}

const void* Context::input_data(size_t index, std::vector<int64_t>& shape) const {
  size_t count = 0;
  check(api().KernelContext_GetInputCount(context_, &count), "KernelContext_GetInputCount");
  if (index >= count) return nullptr;
  const OrtValue* value = nullptr;
  check(api().KernelContext_GetInput(context_, index, &value), "KernelContext_GetInput");
  if (value == nullptr) return nullptr;
  TensorShape info;
  check(api().GetTensorTypeAndShape(value, info.out()), "GetTensorTypeAndShape");
  size_t rank = 0;
  check(api().GetDimensionsCount(info.get(), &rank), "GetDimensionsCount");
  shape.resize(rank);
  check(api().GetDimensions(info.get(), shape.data(), rank), "GetDimensions");
  void* data = nullptr;
  check(api().GetTensorMutableData(const_cast<OrtValue*>(value), &data), "GetTensorMutableData");
  return data;
}

void* Context::output_data(size_t index, const std::vector<int64_t>& shape) {
  size_t count = 0;
  check(api().KernelContext_GetOutputCount(context_, &count), "KernelContext_GetOutputCount");
  if (index >= count) return nullptr;
  OrtValue* value = nullptr;
  check(api().KernelContext_GetOutput(context_, index, shape.data(), shape.size(), &value), "KernelContext_GetOutput");
  if (value == nullptr) return nullptr;
  void* data = nullptr;
  check(api().GetTensorMutableData(value, &data), "GetTensorMutableData");
  return data;
}

const Target& cpu_target() {
  /// Owns the threads that it computes on.
  struct OnThreads final {
    explicit OnThreads(const OrtKernelContext* context) : threads(context), compute(threads) {}
    SessionThreads threads;
    CpuCompute compute;
  };
  static const Target target{nullptr, [](const OrtKernelContext* context) {
                               const auto run = std::make_shared<OnThreads>(context);
                               return std::shared_ptr<const Compute>(run, &run->compute);
                             }};
  return target;
}

void SessionThreads::run(size_t count, Task task, void* context) const {
  if (count <= 1) return Serial().run(count, task, context);
  struct Loop {
    Task task;
    void* context;
    std::mutex mutex;
    std::exception_ptr error;
    std::atomic<bool> failed{false};
  } loop{.task = task, .context = context, .mutex = {}, .error = nullptr};
  const auto call = [](void* data, size_t index) {
    Loop& loop = *static_cast<Loop*>(data);
    if (loop.failed.load(std::memory_order_relaxed)) return;
    try {
      loop.task(loop.context, index);
    } catch (...) {
      std::lock_guard lock(loop.mutex);
      if (!loop.failed.exchange(true)) loop.error = std::current_exception();
    }
  };
  // As many batches as tasks: idle threads take the next one. Fewer would be dealt out evenly beforehand.
  check(api().KernelContext_ParallelFor(context_, call, count, count, &loop), "KernelContext_ParallelFor");
  if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace larmor::ort
