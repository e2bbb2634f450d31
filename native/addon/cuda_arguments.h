// Arguments of the functions on CUDA devices: contexts, and memory of a context.
#pragma once
#include <napi.h>

#include <cstdint>
#include <memory>
#include <string>

#include "addon/args.h"
#include "addon/handle.h"
#include "gpu/cuda_context.h"

namespace larmor::addon {

struct CudaContextHandle {
  static constexpr napi_type_tag kTag{0x5be1f2c7a6d04e19, 0x92a7c04d1b3e86f5};
  std::shared_ptr<gpu::CudaContext> context;
};

struct DeviceMemoryHandle {
  static constexpr napi_type_tag kTag{0xe13a90b44c7f2d68, 0x07d5b8169ef24ac3};
  std::shared_ptr<gpu::DeviceMemory> memory;
};

/// Argument 1 of functions that look for a device.
inline int32_t device_number(const Napi::CallbackInfo& info) {
  const size_t device = count(info, 1, "device");
  if (device > INT32_MAX) fail_argument(info.Env(), "device", "the number of a device");
  return static_cast<int32_t>(device);
}

/// Argument 1 of functions on a device.
inline std::shared_ptr<gpu::CudaContext> cuda_context(const Napi::CallbackInfo& info) {
  return handle<CudaContextHandle>(info, 1, "context")->context;
}

/// Memory of the context that argument 1 is.
inline std::shared_ptr<gpu::DeviceMemory> device_memory(const Napi::CallbackInfo& info, size_t index, const char* name) {
  auto memory = handle<DeviceMemoryHandle>(info, index, name)->memory;
  if (memory->context() != cuda_context(info).get()) fail(info.Env(), "ERR_ARGUMENT", std::string("addon: ") + name + " is memory of another context");
  return memory;
}

/// Memory of exactly `length` floats.
inline std::shared_ptr<gpu::DeviceMemory> device_floats(const Napi::CallbackInfo& info, size_t index, const char* name, size_t length) {
  auto memory = device_memory(info, index, name);
  expect_length(info.Env(), name, length, memory->bytes() / sizeof(float));
  return memory;
}

/// A count or size that the plugin takes.
inline uint32_t device_size(const Napi::CallbackInfo& info, size_t index, const char* name) {
  const size_t value = count(info, index, name);
  if (value > UINT32_MAX) fail_argument(info.Env(), name, "below 2^32");
  return static_cast<uint32_t>(value);
}

}  // namespace larmor::addon
