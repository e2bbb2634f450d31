// Network kernels: fused normalisation and activation, convolutions, pooling and their gradients, and Adam. Images are planar, [n, channel, y, x].
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/parallel.h"

namespace larmor {

/// n images of `channels` planes of `pixels` values. scale and bias hold one value per channel; both null means 1 and 0.
struct InstanceNorm {
  size_t n, channels, pixels;
  const float* scale;
  const float* bias;
  float slope;
};

/// y = leaky_relu(scale * (x - mean) * inverse_deviation + bias), where every plane has its own mean and
/// inverse_deviation = 1 / sqrt(biased variance + epsilon); both are returned, [n, channels].
void instance_norm_leaky_relu(const Parallel& parallel, const InstanceNorm& norm, float epsilon, const float* x, float* y, float* mean,
                              float* inverse_deviation);

/// With z the normalised plane, a = scale z + bias and g = dy * (a > 0 ? 1 : slope):
///   dx = inverse_deviation * scale * (g - mean(g) - z * mean(g z)), dscale = sum over n and pixels of g z, dbias = sum of g.
/// dscale and dbias, [channels], may be null.
void instance_norm_leaky_relu_gradient(const Parallel& parallel, const InstanceNorm& norm, const float* dy, const float* x, const float* mean,
                                       const float* inverse_deviation, float* dx, float* dscale, float* dbias);

/// The same dx for scale 1 and bias 0 from the result y of the forward pass instead of x, which nobody needs to keep then:
/// z = y > 0 ? y : y / slope. slope must be positive. dx may be dy.
void instance_norm_leaky_relu_gradient_of_output(const Parallel& parallel, const InstanceNorm& norm, const float* dy, const float* y,
                                                 const float* inverse_deviation, float* dx);

/// The channels of n images, which may lie in two arrays: of every image the first `split` in one and the others in another.
template <class T>
struct Channels {
  size_t count;
  T* first;
  T* second = nullptr;
  size_t split = count;

  T* plane(size_t image, size_t channel, size_t pixels) const {
    return channel < split ? first + (image * split + channel) * pixels : second + (image * (count - split) + channel - split) * pixels;
  }
};

/// y[n, co, y, x] = sum over ci, ky, kx of weights[co, ci, ky, kx] * x[n, ci, y + ky - 1, x + kx - 1], zero outside the image.
/// `transposed` reads weights [ci, co, 3, 3] with both kernel axes reversed: then dy -> dx of the convolution with these weights.
void conv3x3(const Parallel& parallel, size_t n, size_t height, size_t width, const Channels<const float>& x, const float* weights, bool transposed,
             const Channels<float>& y);

/// dw[co, ci, ky, kx] = sum over n, y, x of dy[n, co, y, x] * x[n, ci, y + ky - 1, x + kx - 1], zero outside the image:
/// the weight gradient of a 3x3 convolution of stride 1 and padding 1.
void conv3x3_weight_gradient(const Parallel& parallel, size_t n, size_t height, size_t width, const Channels<const float>& x,
                             const Channels<const float>& dy, float* dw);

/// dw[co, ci] = sum over n and pixels of dy[n, co, p] * x[n, ci, p], dbias[co] = sum of dy: the gradients of a 1x1 convolution.
/// dbias may be null.
void conv1x1_weight_gradient(const Parallel& parallel, size_t n, size_t ci, size_t co, size_t pixels, const float* x, const float* dy, float* dw,
                             float* dbias);

/// y[n, co, 2 y + ky, 2 x + kx] = sum over ci of weights[ci, co, ky, kx] * x[n, ci, y, x]: a transposed 2x2 convolution of stride 2.
/// height and width are those of x.
void conv_transpose2x2(const Parallel& parallel, size_t n, size_t ci, size_t co, size_t height, size_t width, const float* x, const float* weights,
                       float* y);
/// dx[n, ci, y, x] = sum over co, ky, kx of weights[ci, co, ky, kx] * dy[n, co, 2 y + ky, 2 x + kx].
void conv_transpose2x2_input_gradient(const Parallel& parallel, size_t n, size_t ci, size_t co, size_t height, size_t width, const float* dy,
                                      const float* weights, float* dx);
/// dw[ci, co, ky, kx] = sum over n, y, x of x[n, ci, y, x] * dy[n, co, 2 y + ky, 2 x + kx].
void conv_transpose2x2_weight_gradient(const Parallel& parallel, size_t n, size_t ci, size_t co, size_t height, size_t width, const float* x,
                                       const float* dy, float* dw);

/// Gradient of the mean over 2x2 blocks of planes [height, width], whose last odd row and column are dropped: a quarter of dy each.
void average_pool2x2_gradient(const Parallel& parallel, size_t planes, size_t height, size_t width, const float* dy, float* dx);

struct AdamOptions {
  double learning_rate, beta1, beta2, epsilon;
  uint64_t step;  // of the update to make: 1 for the first
};

/// One Adam update (Kingma and Ba, 2015) of a flat array, rounded as PyTorch's.
void adam_step(const Parallel& parallel, size_t length, const AdamOptions& options, const float* gradient, float* parameter, float* first,
               float* second);

bool all_finite(const Parallel& parallel, size_t length, const float* x);

}  // namespace larmor
