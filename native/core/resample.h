// Filters and interpolates images in k-space.
#pragma once
#include <cstddef>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// k-space of images [batch, ny, nx] is weighed by row_weights [ny] times column_weights [nx] and filled with zeros up to [batch, my, mx],
/// my >= ny and mx >= nx; values of the images are kept.
struct Resampling {
  size_t batch, ny, nx, my, mx;
  const float *row_weights, *column_weights;
};

/// y [batch, my, mx] of x [batch, ny, nx].
void resample(const Parallel& parallel, const Resampling& resampling, const c32* x, c32* y);

/// x [batch, ny, nx] = adjoint of y [batch, my, mx].
void resample_adjoint(const Parallel& parallel, const Resampling& resampling, const c32* y, c32* x);

}  // namespace larmor
