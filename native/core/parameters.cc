// Passes over flat parameters, in blocks of fixed size.
#include "core/parameters.h"

#include <cmath>

#include "core/vector_blocks.h"

namespace larmor {

double norm(const Parallel& parallel, size_t length, const float* x) { return std::sqrt(VectorBlocks(parallel, length).energy(x)); }

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
