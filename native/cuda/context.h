// A context of the plugin: one device, one stream, and what is kept for the work on it.
#pragma once
#include <cstdint>
#include <functional>
#include <map>

#include "cuda/cufft.h"
#include "cuda/device_memory.h"
#include "cuda/failure.h"
#include "cuda/plugin.h"
#include "cuda/runtime.h"

/// Used by one thread at a time.
struct LarmorCudaContext {
 public:
  /// Throws where the device is not usable.
  explicit LarmorCudaContext(int device);
  LarmorCudaContext(const LarmorCudaContext&) = delete;
  LarmorCudaContext& operator=(const LarmorCudaContext&) = delete;
  ~LarmorCudaContext();

  cudaStream_t stream() const { return stream_; }
  larmor::cuda::DeviceMemory& memory() { return memory_; }
  larmor::cuda::Plans& plans() { return plans_; }

  /// Makes its device that of the calling thread.
  void activate() const { larmor::cuda::check(cudaSetDevice(device_), "cudaSetDevice"); }
  /// Waits for all work on the stream and throws what failed in it.
  void synchronize() const { larmor::cuda::check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }
  /// Copies between host and device; the host's memory is free to use again at return.
  void upload(void* device_to, const void* from, size_t bytes) const;
  void download(void* to, const void* device_from, size_t bytes) const;

  /// The phases that centre a transform of length n, [n] on the device: exp(2 pi i c j / n - pi i c c / n), c = floor(n / 2). Kept.
  const float2* centring_phases(uint32_t n);
  /// exp(-2 pi i k / n), k < n, on the device. Kept.
  const float2* roots(uint32_t n);
  /// slot(k), k < 2 n, on the device; the same for every call with this n. Kept.
  const uint32_t* slots(uint32_t n, const std::function<uint32_t(uint32_t)>& slot);
  void trim();

 private:
  int device_;
  cudaStream_t stream_ = nullptr;
  larmor::cuda::DeviceMemory memory_;
  larmor::cuda::Plans plans_;
  using Tables = std::map<uint32_t, void*>;
  /// The table for n; where it is not known yet, made of value(j), j < count.
  template <class Value>
  auto table(Tables& tables, uint32_t n, uint32_t count, Value&& value) -> const decltype(value(0u))*;

  Tables phases_, roots_, slots_;
};

namespace larmor::cuda {

using Context = LarmorCudaContext;

/// Runs the body of a table's function on a context, whose device is made current.
template <class Body>
LarmorCudaStatus on_context(const char* who, LarmorCudaContext* context, Body&& body) noexcept {
  return guarded(who, [&] {
    require(context != nullptr, "context must not be null");
    context->activate();
    body(*context);
  });
}

}  // namespace larmor::cuda
