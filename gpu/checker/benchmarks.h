// How long the kernels take, beside what the device could do at best.
#pragma once
#include <string>

#include "checks.h"

namespace larmor::gpu_check {

struct BenchmarkOptions {
  Extent slice;         // batch 1: one slice
  uint32_t slices;      // of a batch
  int rounds;
  double seconds;       // per benchmark, about
  std::string folder;   // where inputs and results go for other programs to compare with; empty: nowhere
};

/// Prints a line per benchmark; what fails is a line with its reason. Returns how many failed.
int run_benchmarks(const Device& device, const BenchmarkOptions& options);

}  // namespace larmor::gpu_check
