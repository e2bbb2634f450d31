// The table's functions on contexts and their memory.
#include "cuda/context.h"
#include "cuda/entries.h"

namespace larmor::cuda {

LarmorCudaStatus context_create(int32_t device, LarmorCudaContext** context) {
  return guarded("context_create", [&] {
    require(context != nullptr, "context must not be null");
    *context = nullptr;
    *context = new LarmorCudaContext(device);
  });
}

void context_destroy(LarmorCudaContext* context) { delete context; }

void* context_stream(LarmorCudaContext* context) { return context == nullptr ? nullptr : context->stream(); }

LarmorCudaStatus synchronize(LarmorCudaContext* context) {
  return on_context("synchronize", context, [](Context& c) { c.synchronize(); });
}

LarmorCudaStatus memory(LarmorCudaContext* context, LarmorCudaMemory* use) {
  return on_context("memory", context, [&](Context& c) {
    require(use != nullptr, "use must not be null");
    *use = c.memory().use();
  });
}

LarmorCudaStatus trim(LarmorCudaContext* context) {
  return on_context("trim", context, [](Context& c) { c.trim(); });
}

LarmorCudaStatus allocate(LarmorCudaContext* context, uint64_t bytes, void** device_memory) {
  return on_context("allocate", context, [&](Context& c) {
    require(device_memory != nullptr, "device_memory must not be null");
    *device_memory = nullptr;
    *device_memory = c.memory().allocate(bytes);
  });
}

LarmorCudaStatus release(LarmorCudaContext* context, void* device_memory) {
  return on_context("release", context, [&](Context& c) { c.memory().release(device_memory); });
}

LarmorCudaStatus upload(LarmorCudaContext* context, void* device_to, const void* from, uint64_t bytes) {
  return on_context("upload", context, [&](Context& c) {
    require(bytes == 0 || (device_to != nullptr && from != nullptr), "device_to and from must not be null");
    c.upload(device_to, from, bytes);
  });
}

LarmorCudaStatus download(LarmorCudaContext* context, void* to, const void* device_from, uint64_t bytes) {
  return on_context("download", context, [&](Context& c) {
    require(bytes == 0 || (to != nullptr && device_from != nullptr), "to and device_from must not be null");
    c.download(to, device_from, bytes);
  });
}

LarmorCudaStatus copy(LarmorCudaContext* context, void* device_to, const void* device_from, uint64_t bytes) {
  return on_context("copy", context, [&](Context& c) {
    require(bytes == 0 || (device_to != nullptr && device_from != nullptr), "device_to and device_from must not be null");
    check(cudaMemcpyAsync(device_to, device_from, bytes, cudaMemcpyDeviceToDevice, c.stream()), "cudaMemcpyAsync");
  });
}

LarmorCudaStatus fill_zero(LarmorCudaContext* context, void* device_memory, uint64_t bytes) {
  return on_context("fill_zero", context, [&](Context& c) {
    require(bytes == 0 || device_memory != nullptr, "device_memory must not be null");
    check(cudaMemsetAsync(device_memory, 0, bytes, c.stream()), "cudaMemsetAsync");
  });
}

}  // namespace larmor::cuda
