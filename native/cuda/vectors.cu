// Vectors of floats: scaling, adding, and sums of squares.
#include "cuda/context.h"
#include "cuda/device.h"
#include "cuda/entries.h"
#include "cuda/reduction.h"

namespace larmor::cuda {
namespace {

constexpr uint32_t kSumBlocks = 512;  // partial sums: enough to fill a large device, few enough for one block to add

__global__ void scale_kernel(uint64_t count, float factor, float* values) {
  for (uint64_t i = global_index(); i < count; i += global_threads()) values[i] *= factor;
}

__global__ void add_scaled_kernel(uint64_t count, float factor, const float* values, float* to) {
  for (uint64_t i = global_index(); i < count; i += global_threads()) to[i] += factor * values[i];
}

__global__ void approach_kernel(uint64_t count, float rate, const float* values, float* to) {
  for (uint64_t i = global_index(); i < count; i += global_threads()) to[i] += rate * (values[i] - to[i]);
}

__global__ void squared_norm_kernel(uint64_t count, const float* values, double* partials) {
  double sum = 0;
  for (uint64_t i = global_index(); i < count; i += global_threads()) sum += static_cast<double>(values[i]) * values[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

template <class T>
__global__ void sum_partials_kernel(uint64_t count, uint32_t stride, const double* partials, T* totals) {
  double sum = 0;
  for (uint64_t i = threadIdx.x; i < count; i += blockDim.x) sum += partials[i * stride + blockIdx.x];
  sum = block_sum(sum);
  if (threadIdx.x == 0) totals[blockIdx.x] = static_cast<T>(sum);
}

}  // namespace

template <class T>
void sum_partials(cudaStream_t stream, uint64_t count, uint32_t stride, const double* partials, T* totals) {
  launch("sum_partials", sum_partials_kernel<T>, dim3(stride), dim3(kBlock), 0, stream, count, stride, partials, totals);
}
template void sum_partials(cudaStream_t stream, uint64_t count, uint32_t stride, const double* partials, float* totals);
template void sum_partials(cudaStream_t stream, uint64_t count, uint32_t stride, const double* partials, double* totals);

LarmorCudaStatus scale(LarmorCudaContext* context, uint64_t count, float factor, float* device_values) {
  return on_context("scale", context, [&](Context& c) {
    if (count == 0) return;
    require(device_values != nullptr, "device_values must not be null");
    launch("scale", scale_kernel, dim3(blocks_for(count, kBlock)), dim3(kBlock), 0, c.stream(), count, factor, device_values);
  });
}

LarmorCudaStatus add_scaled(LarmorCudaContext* context, uint64_t count, float factor, const float* device_values, float* device_to) {
  return on_context("add_scaled", context, [&](Context& c) {
    if (count == 0) return;
    require(device_values != nullptr && device_to != nullptr, "device_values and device_to must not be null");
    launch("add_scaled", add_scaled_kernel, dim3(blocks_for(count, kBlock)), dim3(kBlock), 0, c.stream(), count, factor, device_values, device_to);
  });
}

LarmorCudaStatus approach(LarmorCudaContext* context, uint64_t count, float rate, const float* device_values, float* device_to) {
  return on_context("approach", context, [&](Context& c) {
    if (count == 0) return;
    require(device_values != nullptr && device_to != nullptr, "device_values and device_to must not be null");
    launch("approach", approach_kernel, dim3(blocks_for(count, kBlock)), dim3(kBlock), 0, c.stream(), count, rate, device_values, device_to);
  });
}

LarmorCudaStatus squared_norm(LarmorCudaContext* context, uint64_t count, const float* device_values, float* device_result) {
  return on_context("squared_norm", context, [&](Context& c) {
    require(device_result != nullptr && (count == 0 || device_values != nullptr), "device_values and device_result must not be null");
    const uint32_t blocks = blocks_for(count, kBlock, kSumBlocks);
    const Scratch<double> partials(c.memory(), kSumBlocks);
    if (blocks > 0) launch("squared_norm", squared_norm_kernel, dim3(blocks), dim3(kBlock), 0, c.stream(), count, device_values, partials.data());
    sum_partials(c.stream(), blocks, 1, partials.data(), device_result);
  });
}

}  // namespace larmor::cuda
