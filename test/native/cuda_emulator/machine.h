// The pretended machine of the CUDA tests: what it has, what fails on it, and what is still in use.
#pragma once
#include <cstddef>
#include <cstdint>

#include "cuda_runtime.h"

namespace emulator {

struct Machine {
  int devices = 1;
  cudaError_t driver_error = cudaSuccess;  // what asking for the devices answers
  int driver_version = 13000;
  size_t memory = size_t{1} << 30;         // bytes that cudaMalloc gives in all
  int launches_until_failure = -1;         // the launch after so many fails on the device; -1: none does
  bool idle = false;                       // launches succeed and do nothing
  bool reversed = false;                   // threads of a block take their turns from the last to the first

  size_t used = 0, allocations = 0;  // now
  uint64_t launches = 0;             // so far
};

Machine& machine();

}  // namespace emulator
