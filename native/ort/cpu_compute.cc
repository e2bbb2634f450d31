// Calls native/core, for the measurement one image of the batch after the other.
#include "ort/cpu_compute.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/coded_error.h"
#include "core/conjugate_gradients.h"
#include "core/encoding.h"
#include "core/fft.h"
#include "core/maps_gradient.h"
#include "core/sample_step.h"

namespace larmor::ort {
namespace {

const c32* complex(const float* data) { return reinterpret_cast<const c32*>(data); }
c32* complex(float* data) { return reinterpret_cast<c32*>(data); }

MaskWeights weights_of(const EncodingBatch& e, size_t b) { return {e.mask + b * (e.lines ? e.nx : e.points()), e.lines}; }

Encoding encoding_of(const EncodingBatch& e, size_t b) {
  return Encoding({.sets = 1, .coils = e.coils, .ny = e.ny, .nx = e.nx}, complex(e.maps) + b * e.samples(), weights_of(e, b));
}

}  // namespace

void CpuCompute::encode(const EncodingBatch& e, const float* image, float* kspace) const {
  for (size_t b = 0; b < e.batch; ++b)
    encoding_of(e, b).forward(parallel_, {image + 2 * b * e.points(), true}, complex(kspace) + b * e.samples());
}

void CpuCompute::encode_adjoint(const EncodingBatch& e, const float* kspace, float* image) const {
  for (size_t b = 0; b < e.batch; ++b)
    encoding_of(e, b).adjoint(parallel_, complex(kspace) + b * e.samples(), {image + 2 * b * e.points(), true});
}

void CpuCompute::encode_normal(const EncodingBatch& e, const float* image, float* result) const {
  for (size_t b = 0; b < e.batch; ++b) {
    const size_t start = 2 * b * e.points();
    encoding_of(e, b).normal(parallel_, {image + start, true}, {result + start, true});
  }
}

void CpuCompute::encode_maps_gradient(const EncodingBatch& e, const float* image, const float* kspace, float* maps) const {
  for (size_t b = 0; b < e.batch; ++b)
    maps_gradient(parallel_, {.coils = e.coils, .ny = e.ny, .nx = e.nx}, image + 2 * b * e.points(), complex(kspace) + b * e.samples(),
                  weights_of(e, b), complex(maps) + b * e.samples());
}

void CpuCompute::sample_step(const EncodingBatch& e, const float* kspace, const float* step, const float* measured, const float* change,
                             float* result) const {
  for (size_t b = 0; b < e.batch; ++b) {
    const size_t begin = 2 * b * e.samples();
    larmor::sample_step(parallel_, {.coils = e.coils, .ny = e.ny, .nx = e.nx}, kspace + begin, weights_of(e, b), *step,
                        measured ? measured + begin : nullptr, change ? change + begin : nullptr, result + begin);
  }
}

void CpuCompute::sample_step_gradient(const EncodingBatch& e, const float* dy, const float* kspace, const float* measured, float* dstep) const {
  double total = 0;
  for (size_t b = 0; b < e.batch; ++b) {
    const size_t begin = 2 * b * e.samples();
    total += larmor::sample_step_gradient(parallel_, {.coils = e.coils, .ny = e.ny, .nx = e.nx}, dy + begin, kspace + begin, weights_of(e, b),
                                          measured ? measured + begin : nullptr);
  }
  *dstep = static_cast<float>(total);
}

void CpuCompute::fft2(bool inverse, size_t count, size_t ny, size_t nx, const float* in, float* out) const {
  larmor::fft2(parallel_, inverse, count, ny, nx, complex(in), complex(out));
}

void CpuCompute::data_loss(LossNorm norm, const EncodingBatch& e, const float* held_out, const float* image, const float* kspace, float* loss,
                           float* held_out_loss, float* gradient) const {
  const Measurements measured{.batch = e.batch,
                              .coils = e.coils,
                              .ny = e.ny,
                              .nx = e.nx,
                              .maps = complex(e.maps),
                              .kspace = complex(kspace),
                              .mask = e.mask,
                              .held_out = held_out,
                              .lines = e.lines};
  const DataLossValue value = larmor::data_loss(parallel_, norm, measured, image, gradient);
  *loss = value.loss;
  *held_out_loss = value.held_out_loss;
}

void CpuCompute::solve_normal(const EncodingBatch& e, size_t iterations, const float* weight, const float* b, float* x) const {
  const float mu = *weight;
  if (!(mu > 0) || !std::isfinite(mu))
    throw CodedError("ERR_DIVERGED", "SolveNormal: weight must be positive and finite, got " + std::to_string(mu) +
                                         "; where it is trained, lower the learning rate");
  const ConjugateGradientOptions options{.lambda = mu, .iterations = iterations, .tolerance = 0};
  std::copy_n(b, 2 * e.batch * e.points(), x);
  for (size_t i = 0; i < e.batch; ++i) {
    const Encoding encoding = encoding_of(e, i);
    // Planes of real and imaginary parts do for the solver, which sees real vectors only.
    const auto normal = [&](const float* from, float* to) { encoding.normal(parallel_, {from, true}, {to, true}); };
    conjugate_gradients(parallel_, normal, e.points(), options, nullptr, complex(x) + i * e.points(), [](size_t) {});
  }
}

void CpuCompute::instance_norm(const InstanceNorm& norm, float epsilon, const float* x, float* y, float* mean, float* inverse_deviation) const {
  instance_norm_leaky_relu(parallel_, norm, epsilon, x, y, mean, inverse_deviation);
}

void CpuCompute::instance_norm_gradient(const InstanceNorm& norm, const float* dy, const float* x, const float* mean, const float* inverse_deviation,
                                        float* dx, float* dscale, float* dbias) const {
  instance_norm_leaky_relu_gradient(parallel_, norm, dy, x, mean, inverse_deviation, dx, dscale, dbias);
}

void CpuCompute::instance_norm_output_gradient(const InstanceNorm& norm, const float* dy, const float* y, const float* inverse_deviation,
                                               float* dx) const {
  instance_norm_leaky_relu_gradient_of_output(parallel_, norm, dy, y, inverse_deviation, dx);
}

void CpuCompute::conv3x3(const ImageBatch& images, const Channels<const float>& x, const float* weights, bool transposed,
                         const Channels<float>& y) const {
  larmor::conv3x3(parallel_, images.n, images.height, images.width, x, weights, transposed, y);
}

void CpuCompute::conv3x3_weight_gradient(const ImageBatch& images, const Channels<const float>& x, size_t co, const float* dy, float* dw) const {
  larmor::conv3x3_weight_gradient(parallel_, images.n, images.height, images.width, x, {co, dy}, dw);
}

void CpuCompute::conv1x1_weight_gradient(const ImageBatch& images, size_t ci, size_t co, const float* x, const float* dy, float* dw,
                                         float* dbias) const {
  larmor::conv1x1_weight_gradient(parallel_, images.n, ci, co, images.height * images.width, x, dy, dw, dbias);
}

void CpuCompute::conv_transpose2x2(const ImageBatch& images, size_t ci, size_t co, const float* x, const float* weights, float* y) const {
  larmor::conv_transpose2x2(parallel_, images.n, ci, co, images.height, images.width, x, weights, y);
}

void CpuCompute::conv_transpose2x2_input_gradient(const ImageBatch& images, size_t ci, size_t co, const float* dy, const float* weights,
                                                  float* dx) const {
  larmor::conv_transpose2x2_input_gradient(parallel_, images.n, ci, co, images.height, images.width, dy, weights, dx);
}

void CpuCompute::conv_transpose2x2_weight_gradient(const ImageBatch& images, size_t ci, size_t co, const float* x, const float* dy,
                                                   float* dw) const {
  larmor::conv_transpose2x2_weight_gradient(parallel_, images.n, ci, co, images.height, images.width, x, dy, dw);
}

void CpuCompute::average_pool2x2_gradient(size_t planes, size_t height, size_t width, const float* dy, float* dx) const {
  larmor::average_pool2x2_gradient(parallel_, planes, height, width, dy, dx);
}

void CpuCompute::copy(size_t count, const float* from, float* to) const { std::copy_n(from, count, to); }

}  // namespace larmor::ort
