// cudaMalloc with an account and a pool.
#include "cuda/device_memory.h"

#include <algorithm>

#include "cuda/runtime.h"

namespace larmor::cuda {

DeviceMemory::~DeviceMemory() {
  for (const auto& [memory, bytes] : arrays_) cudaFree(memory);
  for (const auto& [memory, bytes] : taken_) cudaFree(memory);
  for (const auto& [bytes, memory] : unused_) cudaFree(memory);
}

void* DeviceMemory::obtain(size_t bytes) {
  void* memory = nullptr;
  cudaError_t error = cudaMalloc(&memory, bytes);
  if (error == cudaErrorMemoryAllocation && !unused_.empty()) {
    cudaGetLastError();
    trim();
    error = cudaMalloc(&memory, bytes);
  }
  if (error == cudaErrorMemoryAllocation) {
    size_t left = 0, total = 0;
    cudaGetLastError();
    cudaMemGetInfo(&left, &total);
    throw Failure(LARMOR_CUDA_MEMORY, text("cudaMalloc ", bytes_text(bytes), ": out of memory (cudaErrorMemoryAllocation), ", bytes_text(left), " of ",
                                           bytes_text(total), " are free"));
  }
  check(error, "cudaMalloc");
  return memory;
}

void* DeviceMemory::allocate(size_t bytes) {
  bytes = std::max<size_t>(bytes, 1);
  void* const memory = obtain(bytes);
  arrays_.emplace(memory, bytes);
  array_bytes_ += bytes;
  peak_bytes_ = std::max(peak_bytes_, array_bytes_ + work_bytes_);
  return memory;
}

void DeviceMemory::release(void* memory) {
  const auto array = arrays_.find(memory);
  require(array != arrays_.end(), "this memory is not an array of the context, or was released before");
  array_bytes_ -= array->second;
  arrays_.erase(array);
  check(cudaFree(memory), "cudaFree");
}

void DeviceMemory::free_block(std::multimap<size_t, void*>::iterator block) {
  void* const memory = block->second;
  work_bytes_ -= block->first;
  unused_.erase(block);
  check(cudaFree(memory), "cudaFree");
}

void* DeviceMemory::take(size_t bytes) {
  bytes = std::max<size_t>(bytes, 1);
  const auto fitting = unused_.lower_bound(bytes);
  if (fitting != unused_.end()) {
    void* const memory = fitting->second;
    taken_.emplace(memory, fitting->first);
    unused_.erase(fitting);
    return memory;
  }
  if (!unused_.empty()) free_block(std::prev(unused_.end()));
  void* const memory = obtain(bytes);
  taken_.emplace(memory, bytes);
  work_bytes_ += bytes;
  peak_bytes_ = std::max(peak_bytes_, array_bytes_ + work_bytes_);
  return memory;
}

void DeviceMemory::give(void* block) noexcept {
  const auto taken = taken_.find(block);
  unused_.emplace(taken->second, block);
  taken_.erase(taken);
}

void DeviceMemory::trim() {
  while (!unused_.empty()) free_block(unused_.begin());
}

LarmorCudaMemory DeviceMemory::use() const {
  return {.arrays = arrays_.size(), .array_bytes = array_bytes_, .work_bytes = work_bytes_, .peak_bytes = peak_bytes_};
}

}  // namespace larmor::cuda
