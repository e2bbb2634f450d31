// What custom operators compute, one function per operator: an operator checks its shapes and calls the function of the device it runs on.
// All pointers are memory of that device, scalars of the graph included.
#pragma once
#include <cstddef>

#include "core/data_loss.h"
#include "core/network.h"

namespace larmor::ort {

/// Encoding operators of a batch side by side: maps [n, coil, y, x] complex; mask [n, x] when `lines`, else [n, y, x]. Images are planar
/// [n, 2, y, x], k-space [n, coil, y, x] complex.
struct EncodingBatch {
  size_t batch, coils, ny, nx;
  bool lines;
  const float* maps;  // null where a function does not read them
  const float* mask;

  size_t points() const { return ny * nx; }
  size_t samples() const { return coils * ny * nx; }
};

/// Sizes of a network's images: n of height x width.
struct ImageBatch {
  size_t n, height, width;
};

// X(name, parameters). For the measurement as core/encoding.h, core/maps_gradient.h, core/sample_step.h, core/fft.h and core/data_loss.h over the
// batch; for networks as core/network.h. Scalars, all [1]: step, dstep, loss, held_out_loss, weight. These may be null: measured, change,
// dscale, dbias. These may lie in one place: sample_step's result and its kspace or change, instance_norm's y and x, the norm gradients' dx and
// dy. held_out is a mask like the encoding's; solve_normal starts from 0; height and width of conv_transpose2x2 are those of the smaller image.
#define LARMOR_COMPUTE_FUNCTIONS(X) \
  X(encode, (const EncodingBatch& encoding, const float* image, float* kspace)) \
  X(encode_adjoint, (const EncodingBatch& encoding, const float* kspace, float* image)) \
  X(encode_normal, (const EncodingBatch& encoding, const float* image, float* result)) \
  X(encode_maps_gradient, (const EncodingBatch& encoding, const float* image, const float* kspace, float* maps)) \
  X(sample_step, (const EncodingBatch& encoding, const float* kspace, const float* step, const float* measured, const float* change, float* result)) \
  X(sample_step_gradient, (const EncodingBatch& encoding, const float* dy, const float* kspace, const float* measured, float* dstep)) \
  X(fft2, (bool inverse, size_t count, size_t ny, size_t nx, const float* in, float* out)) \
  X(data_loss, (LossNorm norm, const EncodingBatch& encoding, const float* held_out, const float* image, const float* kspace, float* loss, float* held_out_loss, float* gradient)) \
  X(solve_normal, (const EncodingBatch& encoding, size_t iterations, const float* weight, const float* b, float* x)) \
  X(instance_norm, (const InstanceNorm& norm, float epsilon, const float* x, float* y, float* mean, float* inverse_deviation)) \
  X(instance_norm_gradient, (const InstanceNorm& norm, const float* dy, const float* x, const float* mean, const float* inverse_deviation, float* dx, float* dscale, float* dbias)) \
  X(instance_norm_output_gradient, (const InstanceNorm& norm, const float* dy, const float* y, const float* inverse_deviation, float* dx)) \
  X(conv3x3, (const ImageBatch& images, const Channels<const float>& x, const float* weights, bool transposed, const Channels<float>& y)) \
  X(conv3x3_weight_gradient, (const ImageBatch& images, const Channels<const float>& x, size_t co, const float* dy, float* dw)) \
  X(conv1x1_weight_gradient, (const ImageBatch& images, size_t ci, size_t co, const float* x, const float* dy, float* dw, float* dbias)) \
  X(conv_transpose2x2, (const ImageBatch& images, size_t ci, size_t co, const float* x, const float* weights, float* y)) \
  X(conv_transpose2x2_input_gradient, (const ImageBatch& images, size_t ci, size_t co, const float* dy, const float* weights, float* dx)) \
  X(conv_transpose2x2_weight_gradient, (const ImageBatch& images, size_t ci, size_t co, const float* x, const float* dy, float* dw)) \
  X(average_pool2x2_gradient, (size_t planes, size_t height, size_t width, const float* dy, float* dx)) \
  X(copy, (size_t count, const float* from, float* to))

/// The functions on one device; all may throw CodedError.
class Compute {
 public:
  virtual ~Compute() = default;
#define LARMOR_COMPUTE_DECLARE(name, parameters) virtual void name parameters const = 0;
  LARMOR_COMPUTE_FUNCTIONS(LARMOR_COMPUTE_DECLARE)
#undef LARMOR_COMPUTE_DECLARE
};

}  // namespace larmor::ort
