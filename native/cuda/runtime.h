// The CUDA runtime as the plugin sees it: checked calls, and launches that compile with nvcc and, for tests without a GPU, as plain C++.
//
// <cuda_runtime.h> is NVIDIA's in the plugin and test/native/cuda_emulator/cuda_runtime.h in the tests. Kernels are launched by launch()
// and take their dynamic shared memory from dynamic_shared() (device.h): these two are all that differs between the compilers.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "cuda/failure.h"

namespace larmor::cuda {

/// Throws where a call of the runtime failed, with NVIDIA's name of the error: LARMOR_CUDA_MEMORY when memory ran out.
inline void check(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // or the next launch would be blamed
  const LarmorCudaStatus status = error == cudaErrorMemoryAllocation ? LARMOR_CUDA_MEMORY : LARMOR_CUDA_FAILED;
  throw Failure(status, text(call, ": ", cudaGetErrorString(error), " (", cudaGetErrorName(error), ")"));
}

/// Blocks of `block` threads that cover `count`, at most `limit` of them.
inline uint32_t blocks_for(uint64_t count, uint32_t block, uint64_t limit = 0x7fffffff) {
  const uint64_t blocks = (count + block - 1) / block;
  return static_cast<uint32_t>(blocks < limit ? blocks : limit);
}

#if defined(__CUDACC__)

/// kernel<<<grid, block, shared, stream>>>(arguments...), checked. `shared` bytes of dynamic shared memory.
template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared, cudaStream_t stream, Arguments... arguments) {
  kernel<<<grid, block, shared, stream>>>(static_cast<Parameters>(arguments)...);
  check(cudaGetLastError(), name);
}

#elif defined(LARMOR_CUDA_EMULATOR)

template <class... Parameters, class... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared, cudaStream_t stream, Arguments... arguments) {
  check(emulator::launch(grid, block, shared, stream, [=] { kernel(static_cast<Parameters>(arguments)...); }), name);
}

#endif

}  // namespace larmor::cuda
