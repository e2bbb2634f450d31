// Device code shared by the kernels: complex products, sums over a block, dynamic shared memory.
#pragma once
#include "cuda/runtime.h"

namespace larmor::cuda {

constexpr int kBlock = 256;  // threads of most kernels: 8 warps, a divisor of what a multiprocessor holds on every architecture

__device__ inline float2 operator+(float2 a, float2 b) { return {a.x + b.x, a.y + b.y}; }
__device__ inline float2 operator-(float2 a, float2 b) { return {a.x - b.x, a.y - b.y}; }
__device__ inline float2 operator*(float f, float2 a) { return {f * a.x, f * a.y}; }
__device__ inline float2 operator*(float2 a, float2 b) { return {a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x}; }
__device__ inline float2 conjugate(float2 a) { return {a.x, -a.y}; }

/// The calling thread's index over the grid along x, and the threads of the grid along x.
__device__ inline uint64_t global_index() { return static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ inline uint64_t global_threads() { return static_cast<uint64_t>(gridDim.x) * blockDim.x; }

/// Code of its own for a function that several kernels call rarely enough.
#if defined(__CUDACC__)
#define LARMOR_APART __noinline__
#else
#define LARMOR_APART
#endif

/// The dynamic shared memory that the launch asked for, aligned to 16 bytes.
template <class T>
__device__ inline T* dynamic_shared() {
#if defined(__CUDACC__)
  extern __shared__ __align__(16) unsigned char larmor_dynamic_shared[];
  return reinterpret_cast<T*>(larmor_dynamic_shared);
#else
  return static_cast<T*>(emulator::dynamic_shared());
#endif
}

/// The sum over a block of whole warps (blockDim.x threads, a multiple of 32), in the same order every time. Every thread must call it and gets
/// the sum. T is float or double.
template <class T>
__device__ inline T block_sum(T value) {
  __shared__ T parts[32];
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
  for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(0xffffffffu, value, step);
  __syncthreads();  // of a sum before this one, which may still be read
  if (lane == 0) parts[warp] = value;
  __syncthreads();
  T total = 0;
  for (unsigned i = 0; i < warps; ++i) total += parts[i];
  return total;
}

}  // namespace larmor::cuda
