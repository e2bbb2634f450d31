// Gradients of instance normalisation with leaky ReLU, from its input or from its result. As the forward pass, in two passes over chunks.
#include "cuda/entries.h"
#include "cuda/instance_norm.h"

namespace larmor::cuda {
namespace {

using namespace norm;

struct Sums {
  double gradient, weighted;  // of g, and of g z
};

/// What the gradient kernels read: x, or the result y of the forward pass where mean is null.
struct Source {
  Affine affine;
  const float* dy;
  const float* values;
  const float* mean;
  const float* inverse_deviation;

  /// Of a result the deviation takes the place of the scale, so that y itself, made linear again, is z.
  __device__ Plane plane(uint64_t index) const {
    if (mean == nullptr) return {0, 1, inverse_deviation[index], 0, affine.slope, 1 / affine.slope};
    return affine.plane(index, mean[index], inverse_deviation[index]);
  }
};

/// Replaces dy by g = dy * (a > 0 ? 1 : slope) and the values by z.
template <uint32_t kWidth>
__device__ void gradient_and_normal(const Chunk<kWidth>& chunk, const Source& source, const Plane& p, float (&g)[kPerThread],
                                    float (&z)[kPerThread]) {
  chunk.load(source.dy, g);
  chunk.load(source.values, z);
#pragma unroll
  for (uint32_t i = 0; i < kPerThread; ++i) {
    const float centred = (z[i] - p.mean) * p.inverse_deviation;
    z[i] = centred > 0 ? centred : centred * p.below;
    g[i] = z[i] * p.scale + p.bias > 0 ? g[i] : g[i] * p.slope;
  }
}

__device__ inline Sums chunk_sums(const float (&g)[kPerThread], const float (&z)[kPerThread]) {
  float first = 0, second = 0;  // beyond the chunk g is 0
#pragma unroll
  for (uint32_t i = 0; i < kPerThread; ++i) {
    first += g[i];
    second += g[i] * z[i];
  }
  const double gradient = block_sum(static_cast<double>(first));
  return {gradient, block_sum(static_cast<double>(second))};
}

__device__ inline Sums plane_sums(uint32_t chunks, const Sums* partials) {
  double first = 0, second = 0;
  for (uint32_t i = threadIdx.x; i < chunks; i += kBlock) {
    first += partials[i].gradient;
    second += partials[i].weighted;
  }
  const double gradient = block_sum(first);
  return {gradient, block_sum(second)};
}

template <uint32_t kWidth>
__global__ void __launch_bounds__(kBlock) instance_norm_sums_kernel(uint32_t pixels, Source source, Sums* partials) {
  const Chunk<kWidth> chunk(pixels, blockIdx.x, blockIdx.y);
  float g[kPerThread], z[kPerThread];
  gradient_and_normal(chunk, source, source.plane(blockIdx.x), g, z);
  const Sums sums = chunk_sums(g, z);
  if (threadIdx.x == 0) partials[static_cast<uint64_t>(blockIdx.x) * gridDim.y + blockIdx.y] = sums;
}

/// partials are not read where one chunk holds the plane. planes, [planes], gets each plane's sums.
template <uint32_t kWidth>
__global__ void __launch_bounds__(kBlock) instance_norm_gradient_kernel(uint32_t pixels, Source source, const Sums* partials, float* dx,
                                                                        Sums* planes) {
  const uint64_t plane = blockIdx.x;
  const Chunk<kWidth> chunk(pixels, plane, blockIdx.y);
  const Plane p = source.plane(plane);
  float g[kPerThread], z[kPerThread];
  gradient_and_normal(chunk, source, p, g, z);
  const Sums sums = gridDim.y == 1 ? chunk_sums(g, z) : plane_sums(gridDim.y, partials + plane * gridDim.y);
  if (blockIdx.y == 0 && threadIdx.x == 0) planes[plane] = sums;
  const float mean_gradient = static_cast<float>(sums.gradient / pixels), mean_weighted = static_cast<float>(sums.weighted / pixels);
  const float factor = p.inverse_deviation * p.scale;
#pragma unroll
  for (uint32_t i = 0; i < kPerThread; ++i) g[i] = factor * (g[i] - mean_gradient - z[i] * mean_weighted);
  chunk.store(g, dx);
}

/// dscale and dbias of every channel: the sums of its planes, image by image; either may be null.
__global__ void instance_norm_affine_gradient_kernel(uint32_t n, uint32_t channels, const Sums* planes, float* dscale, float* dbias) {
  const uint64_t channel = global_index();
  if (channel >= channels) return;
  Sums total{0, 0};
  for (uint64_t image = 0; image < n; ++image) {
    total.gradient += planes[image * channels + channel].gradient;
    total.weighted += planes[image * channels + channel].weighted;
  }
  if (dscale != nullptr) dscale[channel] = static_cast<float>(total.weighted);
  if (dbias != nullptr) dbias[channel] = static_cast<float>(total.gradient);
}

template <uint32_t kWidth>
void run(Context& context, const LarmorCudaNorm& norm, const Source& source, float* dx, float* dscale, float* dbias) {
  const dim3 grid = grid_of(norm), block(kBlock);
  const Scratch<Sums> planes(context.memory(), grid.x), partials(context.memory(), grid.y == 1 ? 1 : static_cast<size_t>(grid.x) * grid.y);
  if (grid.y > 1)
    launch("instance_norm_sums", instance_norm_sums_kernel<kWidth>, grid, block, 0, context.stream(), norm.pixels, source, partials.data());
  launch("instance_norm_gradient", instance_norm_gradient_kernel<kWidth>, grid, block, 0, context.stream(), norm.pixels, source, partials.data(), dx,
         planes.data());
  if (dscale == nullptr && dbias == nullptr) return;
  launch("instance_norm_affine_gradient", instance_norm_affine_gradient_kernel, dim3(blocks_for(norm.channels, kBlock)), block, 0, context.stream(),
         norm.n, norm.channels, planes.data(), dscale, dbias);
}

}  // namespace

LarmorCudaStatus instance_norm_gradient(LarmorCudaContext* context, const LarmorCudaNorm* norm, const float* device_dy, const float* device_x,
                                        const float* device_mean, const float* device_inverse_deviation, float* device_dx, float* device_dscale,
                                        float* device_dbias) {
  return on_context("instance_norm_gradient", context, [&](Context& c) {
    check_norm(norm);
    require_arrays({{"device_dy", device_dy},
                    {"device_x", device_x},
                    {"device_mean", device_mean},
                    {"device_inverse_deviation", device_inverse_deviation},
                    {"device_dx", device_dx}});
    const Source source{{norm->channels, norm->device_scale, norm->device_bias, norm->slope}, device_dy, device_x, device_mean,
                        device_inverse_deviation};
    const auto derive = in_fours(*norm, device_dy, device_x, device_dx) ? run<4> : run<1>;
    derive(c, *norm, source, device_dx, device_dscale, device_dbias);
  });
}

LarmorCudaStatus instance_norm_output_gradient(LarmorCudaContext* context, const LarmorCudaNorm* norm, const float* device_dy, const float* device_y,
                                               const float* device_inverse_deviation, float* device_dx) {
  return on_context("instance_norm_output_gradient", context, [&](Context& c) {
    check_norm(norm);
    require(norm->device_scale == nullptr, "norm.device_scale and norm.device_bias must be null: a scaled result does not tell the normalised value");
    require(norm->slope > 0, "norm.slope must be above 0, got ", norm->slope);
    require_arrays({{"device_dy", device_dy},
                    {"device_y", device_y},
                    {"device_inverse_deviation", device_inverse_deviation},
                    {"device_dx", device_dx}});
    const Source source{{norm->channels, nullptr, nullptr, norm->slope}, device_dy, device_y, nullptr, device_inverse_deviation};
    const auto derive = in_fours(*norm, device_dy, device_y, device_dx) ? run<4> : run<1>;
    derive(c, *norm, source, device_dx, nullptr, nullptr);
  });
}

}  // namespace larmor::cuda
