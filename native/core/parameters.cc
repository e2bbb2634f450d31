// Passes over flat parameters, in blocks of fixed size.
#include "core/parameters.h"

#include <cmath>

#include "core/vector_blocks.h"

namespace larmor {

namespace {

constexpr size_t kSums = 8;  // independent ones, so that an addition need not wait for the one before

double energy(size_t n, const float* x) {
  double sums[kSums] = {};
  size_t i = 0;
  for (; i + kSums <= n; i += kSums)
    for (size_t j = 0; j < kSums; ++j) sums[j] += static_cast<double>(x[i + j]) * x[i + j];
  double total = 0;
  for (; i < n; ++i) total += static_cast<double>(x[i]) * x[i];
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

double norm(const Parallel& parallel, size_t length, const float* x) {
  return std::sqrt(VectorBlocks(parallel, length).sum([=](size_t begin, size_t size) { return energy(size, x + begin); }));
}

void blend(const Parallel& parallel, size_t length, float keep, float* y, float add, const float* x) {
  VectorBlocks(parallel, length).each([=](size_t begin, size_t size) {
    for (size_t i = begin; i < begin + size; ++i) y[i] = (keep == 0 ? 0.0f : keep * y[i]) + add * x[i];
  });
}

void approach(const Parallel& parallel, size_t length, float rate, float* y, const float* x) {
  VectorBlocks(parallel, length).each([=](size_t begin, size_t size) {
    for (size_t i = begin; i < begin + size; ++i) y[i] += rate * (x[i] - y[i]);
  });
}

}  // namespace larmor
