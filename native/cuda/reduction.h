// The second half of sums over arrays: the total of partial sums, in double and in a fixed order.
#pragma once
#include "cuda/runtime.h"

namespace larmor::cuda {

/// totals[j] = sum over i < count of partials[i * stride + j], j < stride, on the device. T is float or double.
template <class T>
void sum_partials(cudaStream_t stream, uint64_t count, uint32_t stride, const double* partials, T* totals);

}  // namespace larmor::cuda
