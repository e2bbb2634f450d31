// The normalised k-space loss of an image with its gradient, in one pass over the coils: the inner loop of self-supervised training.
#pragma once
#include <cstddef>

#include "core/complex.h"
#include "core/encoding.h"
#include "core/parallel.h"

namespace larmor {

enum class LossNorm { kL1, kL2 };

/// A batch of measurements, one image each. The masks of training and held-out samples are [n, x] when `lines`, else [n, y, x].
struct Measurements {
  size_t batch, coils, ny, nx;
  const c32* maps;    // [n, coil, y, x]
  const c32* kspace;  // [n, coil, y, x]
  const float* mask;
  const float* held_out;
  bool lines;
};

struct DataLossValue {
  float loss;
  float held_out_loss;  // 0 when nothing is held out
};

/// With r = M (F S x - y): l1 is sum(|Re r| + |Im r|) / sum(|Re My| + |Im My|), l2 is ||r|| / ||My||; the sums run over the batch.
///
/// image and gradient are planar [n, 2, y, x]; the gradient is that of `loss` for real and imaginary parts, sign(0) = 0, and 0 where l2 is 0.
/// The l2 gradient A^H r / (||r|| ||y||) is linear in r, so its norm is divided out at the end. gradient may be image.
/// Throws CodedError ERR_ARGUMENT when kspace is zero wherever the mask is not.
DataLossValue data_loss(const Parallel& parallel, LossNorm norm, const Measurements& measured, const float* image, float* gradient);

}  // namespace larmor
