// Instance normalisation with leaky ReLU, one task per plane: the second pass over a plane finds it in the cache.
#include <cmath>
#include <vector>

#include "core/kernels.h"
#include "core/network.h"

namespace larmor {
namespace {

NormPlane plane_of(const InstanceNorm& norm, size_t plane, float mean, float inverse_deviation) {
  const size_t channel = plane % norm.channels;
  return {.mean = mean,
          .inverse_deviation = inverse_deviation,
          .scale = norm.scale == nullptr ? 1.0f : norm.scale[channel],
          .bias = norm.bias == nullptr ? 0.0f : norm.bias[channel],
          .slope = norm.slope};
}

void plane_gradient(size_t pixels, const NormPlane& plane, const float* dy, const float* x, float* dx, double& sum, double& weighted_sum) {
  kernels().norm_gradient_sums(pixels, plane, dy, x, &sum, &weighted_sum);
  const double count = static_cast<double>(pixels);
  kernels().norm_gradient(pixels, plane, static_cast<float>(sum / count), static_cast<float>(weighted_sum / count), dy, x, dx);
}

}  // namespace

void instance_norm_leaky_relu(const Parallel& parallel, const InstanceNorm& norm, float epsilon, const float* x, float* y, float* mean,
                              float* inverse_deviation) {
  if (norm.pixels == 0) return;
  parallel(norm.n * norm.channels, [&](size_t plane) {
    const float* const input = x + plane * norm.pixels;
    double plane_mean, variance;
    kernels().plane_moments(norm.pixels, input, &plane_mean, &variance);
    mean[plane] = static_cast<float>(plane_mean);
    inverse_deviation[plane] = static_cast<float>(1 / std::sqrt(variance + static_cast<double>(epsilon)));
    kernels().normalise_plane(norm.pixels, plane_of(norm, plane, mean[plane], inverse_deviation[plane]), input, y + plane * norm.pixels);
  });
}

void instance_norm_leaky_relu_gradient(const Parallel& parallel, const InstanceNorm& norm, const float* dy, const float* x, const float* mean,
                                       const float* inverse_deviation, float* dx, float* dscale, float* dbias) {
  const size_t planes = norm.n * norm.channels;
  std::vector<double> sums(planes), weighted_sums(planes);
  parallel(planes, [&](size_t plane) {
    const size_t begin = plane * norm.pixels;
    plane_gradient(norm.pixels, plane_of(norm, plane, mean[plane], inverse_deviation[plane]), dy + begin, x + begin, dx + begin, sums[plane],
                   weighted_sums[plane]);
  });
  const auto sum_over_images = [&](const std::vector<double>& per_plane, float* total) {
    if (total == nullptr) return;
    for (size_t c = 0; c < norm.channels; ++c) {
      double sum = 0;
      for (size_t i = 0; i < norm.n; ++i) sum += per_plane[i * norm.channels + c];
      total[c] = static_cast<float>(sum);
    }
  };
  sum_over_images(weighted_sums, dscale);
  sum_over_images(sums, dbias);
}

void instance_norm_leaky_relu_gradient_of_output(const Parallel& parallel, const InstanceNorm& norm, const float* dy, const float* y,
                                                 const float* inverse_deviation, float* dx) {
  parallel(norm.n * norm.channels, [&](size_t plane) {
    const size_t begin = plane * norm.pixels;
    // The deviation takes the place of the scale, so that y itself, made linear again, is z.
    const NormPlane parameters{
        .mean = 0, .inverse_deviation = 1, .scale = inverse_deviation[plane], .bias = 0, .slope = norm.slope, .below = 1 / norm.slope};
    double sum = 0, weighted_sum = 0;
    plane_gradient(norm.pixels, parameters, dy + begin, y + begin, dx + begin, sum, weighted_sum);
  });
}

}  // namespace larmor
