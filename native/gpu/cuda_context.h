// A CUDA device at work: one stream, used by one thread at a time, and memory that no job can outlive.
#pragma once
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "gpu/cuda_plugin.h"

namespace larmor::gpu {

class DeviceMemory;

/// Frees everything it allocated when it is closed or destroyed, even where handles of that memory are still held.
class CudaContext : public std::enable_shared_from_this<CudaContext> {
 public:
  /// Throws CodedError ERR_DEVICE, ERR_OUT_OF_MEMORY.
  static std::shared_ptr<CudaContext> create(int32_t device);
  ~CudaContext() { close(); }
  CudaContext(const CudaContext&) = delete;
  CudaContext& operator=(const CudaContext&) = delete;

  int32_t device() const { return device_; }

  /// Calls body(table, context) while no other thread uses the context, having freed the memory that was let go.
  /// Throws CodedError ERR_CLOSED after close().
  template <class Body>
  void use(Body&& body) {
    const std::lock_guard lock(use_);
    expect_open();
    free_discarded();
    body(table_, context_);
  }

  /// Uninitialised memory; where there is too little, the context's scratch is freed first. Throws CodedError ERR_OUT_OF_MEMORY.
  std::shared_ptr<DeviceMemory> allocate(uint64_t bytes);

  /// Waits for the stream, then frees everything. Closing twice does nothing.
  void close() noexcept;

 private:
  friend class DeviceMemory;
  explicit CudaContext(int32_t device);
  void expect_open() const;
  void free_discarded() noexcept;
  /// Memory to be freed at the next use: the caller may be a garbage collector, which must not wait.
  void discard(void* memory) noexcept;

  const LarmorCudaTable& table_;
  const int32_t device_;
  std::mutex use_;
  LarmorCudaContext* context_ = nullptr;
  std::set<void*> allocated_;
  std::mutex discarding_;
  std::vector<void*> discarded_;
};

/// Memory of a context's device, freed soon after the last owner lets go; a job that uses it owns it meanwhile.
class DeviceMemory {
 public:
  DeviceMemory(std::shared_ptr<CudaContext> context, void* data, uint64_t bytes) : context_(std::move(context)), data_(data), bytes_(bytes) {}
  ~DeviceMemory() { context_->discard(data_); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  /// Invalid once its context is closed: only to be used inside CudaContext::use.
  float* data() const { return static_cast<float*>(data_); }
  uint64_t bytes() const { return bytes_; }
  const CudaContext* context() const { return context_.get(); }

 private:
  std::shared_ptr<CudaContext> context_;
  void* data_;
  uint64_t bytes_;
};

}  // namespace larmor::gpu
