// Device memory of a context, accounted: arrays that the caller owns, and scratch blocks kept for the next call.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>

#include "cuda/plugin.h"

namespace larmor::cuda {

/// Work on one stream runs in order, so a block that a call gave back may be taken by the next while the first one's kernels still wait.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  ~DeviceMemory();

  /// Memory for the caller, aligned for any type. Throws LARMOR_CUDA_MEMORY after having freed the unused scratch and tried again.
  void* allocate(size_t bytes);
  /// Waits for the device, as freeing does. Throws LARMOR_CUDA_ARGUMENT for memory that allocate() did not give.
  void release(void* memory);

  /// A scratch block of at least `bytes`: the smallest unused one that fits, else a new one in place of the largest unused one.
  void* take(size_t bytes);
  void give(void* block) noexcept;
  /// Frees the scratch blocks that nobody has taken.
  void trim();

  LarmorCudaMemory use() const;

 private:
  void* obtain(size_t bytes);
  void free_block(std::multimap<size_t, void*>::iterator block);

  std::unordered_map<void*, size_t> arrays_, taken_;
  std::multimap<size_t, void*> unused_;
  uint64_t array_bytes_ = 0, work_bytes_ = 0, peak_bytes_ = 0;
};

/// `count` elements of scratch while it lives; uninitialised.
template <class T>
class Scratch {
 public:
  Scratch(DeviceMemory& memory, size_t count) : memory_(memory), data_(static_cast<T*>(memory.take(count * sizeof(T)))) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { memory_.give(data_); }
  T* data() const { return data_; }

 private:
  DeviceMemory& memory_;
  T* data_;
};

}  // namespace larmor::cuda
