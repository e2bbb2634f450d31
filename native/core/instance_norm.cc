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
    const NormPlane parameters = plane_of(norm, plane, mean[plane], inverse_deviation[plane]);
    kernels().norm_gradient_sums(norm.pixels, parameters, dy + begin, x + begin, &sums[plane], &weighted_sums[plane]);
    const double count = static_cast<double>(norm.pixels);
    kernels().norm_gradient(norm.pixels, parameters, static_cast<float>(sums[plane] / count), static_cast<float>(weighted_sums[plane] / count),
                            dy + begin, x + begin, dx + begin);
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

}  // namespace larmor
