// Instance normalisation with leaky ReLU. Each pass reads a plane once; the moments of its chunks are merged in double, in order, by every
// block of the second pass.
#include "cuda/instance_norm.h"

#include "cuda/entries.h"

namespace larmor::cuda {
namespace {

using namespace norm;

struct Moments {
  double mean, squares;  // squares: sum of squared deviations from mean
};

/// Of the block's chunk: deviations from a rounded mean, corrected for the rounding.
template <uint32_t kWidth>
__device__ Moments chunk_moments(const Chunk<kWidth>& chunk, const float (&values)[kPerThread]) {
  float total = 0;
#pragma unroll
  for (uint32_t i = 0; i < kPerThread; ++i) total += values[i];
  const double count = chunk.count;
  const float centre = static_cast<float>(block_sum(static_cast<double>(total)) / count);
  float first = 0, second = 0;
#pragma unroll
  for (uint32_t i = 0; i < kPerThread; ++i) {
    const float d = chunk.holds(i) ? values[i] - centre : 0.0f;
    first += d;
    second += d * d;
  }
  const double offset = block_sum(static_cast<double>(first)), squares = block_sum(static_cast<double>(second));
  return {centre + offset / count, squares - offset * offset / count};
}

/// Of a whole plane, from its chunks'.
__device__ Moments plane_moments(uint32_t pixels, uint32_t chunks, const Moments* partials) {
  double sum = 0, squares = 0;
  for (uint32_t i = threadIdx.x; i < chunks; i += kBlock) sum += chunk_size(pixels, i) * partials[i].mean;
  const double mean = block_sum(sum) / pixels;
  for (uint32_t i = threadIdx.x; i < chunks; i += kBlock) {
    const double delta = partials[i].mean - mean;
    squares += partials[i].squares + chunk_size(pixels, i) * delta * delta;
  }
  return {mean, block_sum(squares)};
}

template <uint32_t kWidth>
__global__ void __launch_bounds__(kBlock) instance_norm_moments_kernel(uint32_t pixels, const float* x, Moments* partials) {
  const Chunk<kWidth> chunk(pixels, blockIdx.x, blockIdx.y);
  float values[kPerThread];
  chunk.load(x, values);
  const Moments moments = chunk_moments(chunk, values);
  if (threadIdx.x == 0) partials[static_cast<uint64_t>(blockIdx.x) * gridDim.y + blockIdx.y] = moments;
}

/// partials are not read where one chunk holds the plane.
template <uint32_t kWidth>
__global__ void __launch_bounds__(kBlock) instance_norm_kernel(uint32_t pixels, Affine affine, float epsilon, const Moments* partials, const float* x,
                                                               float* y, float* mean, float* inverse_deviation) {
  const uint64_t plane = blockIdx.x;
  const Chunk<kWidth> chunk(pixels, plane, blockIdx.y);
  float values[kPerThread];
  chunk.load(x, values);
  const Moments moments = gridDim.y == 1 ? chunk_moments(chunk, values) : plane_moments(pixels, gridDim.y, partials + plane * gridDim.y);
  const Plane p = affine.plane(plane, static_cast<float>(moments.mean),
                               static_cast<float>(1 / sqrt(moments.squares / pixels + static_cast<double>(epsilon))));
  if (blockIdx.y == 0 && threadIdx.x == 0) {
    mean[plane] = p.mean;
    inverse_deviation[plane] = p.inverse_deviation;
  }
#pragma unroll
  for (uint32_t i = 0; i < kPerThread; ++i) {
    const float a = (values[i] - p.mean) * p.inverse_deviation * p.scale + p.bias;
    values[i] = a > 0 ? a : a * p.slope;
  }
  chunk.store(values, y);
}

template <uint32_t kWidth>
void run(Context& context, const LarmorCudaNorm& norm, float epsilon, const float* x, float* y, float* mean, float* inverse_deviation) {
  const dim3 grid = grid_of(norm), block(kBlock);
  const Scratch<Moments> partials(context.memory(), grid.y == 1 ? 1 : static_cast<size_t>(grid.x) * grid.y);
  if (grid.y > 1)
    launch("instance_norm_moments", instance_norm_moments_kernel<kWidth>, grid, block, 0, context.stream(), norm.pixels, x, partials.data());
  launch("instance_norm", instance_norm_kernel<kWidth>, grid, block, 0, context.stream(), norm.pixels,
         Affine{norm.channels, norm.device_scale, norm.device_bias, norm.slope}, epsilon, partials.data(), x, y, mean, inverse_deviation);
}

}  // namespace

LarmorCudaStatus instance_norm(LarmorCudaContext* context, const LarmorCudaNorm* norm, float epsilon, const float* device_x, float* device_y,
                               float* device_mean, float* device_inverse_deviation) {
  return on_context("instance_norm", context, [&](Context& c) {
    check_norm(norm);
    require_arrays({{"device_x", device_x},
                    {"device_y", device_y},
                    {"device_mean", device_mean},
                    {"device_inverse_deviation", device_inverse_deviation}});
    const auto normalise = in_fours(*norm, device_x, device_y) ? run<4> : run<1>;
    normalise(c, *norm, epsilon, device_x, device_y, device_mean, device_inverse_deviation);
  });
}

}  // namespace larmor::cuda
