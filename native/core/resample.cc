// The centre n / 2 of the small k-space comes to lie on that of the large one.
#include "core/resample.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/fft.h"

namespace larmor {
namespace {

/// Copies the small k-space to the centre of the large one, or back, with its weights.
template <class Copy>
void each_small_row(const Parallel& parallel, const Resampling& r, Copy&& copy) {
  const size_t top = r.my / 2 - r.ny / 2, left = r.mx / 2 - r.nx / 2;
  const float scale = std::sqrt(static_cast<float>(r.my * r.mx) / static_cast<float>(r.ny * r.nx));
  parallel(r.batch * r.ny, [&](size_t row) {
    const size_t image = row / r.ny, y = row % r.ny;
    copy(row * r.nx, (image * r.my + top + y) * r.mx + left, scale * r.row_weights[y]);
  });
}

c32 scaled(const c32& value, float factor) { return {factor * value.re, factor * value.im}; }

}  // namespace

void resample(const Parallel& parallel, const Resampling& r, const c32* x, c32* y) {
  std::vector<c32> small(r.batch * r.ny * r.nx);
  fft2(parallel, false, r.batch, r.ny, r.nx, x, small.data());
  std::fill_n(y, r.batch * r.my * r.mx, c32{0, 0});
  each_small_row(parallel, r, [&](size_t from, size_t to, float factor) {
    for (size_t i = 0; i < r.nx; ++i) y[to + i] = scaled(small[from + i], factor * r.column_weights[i]);
  });
  fft2(parallel, true, r.batch, r.my, r.mx, y, y);
}

void resample_adjoint(const Parallel& parallel, const Resampling& r, const c32* y, c32* x) {
  std::vector<c32> large(r.batch * r.my * r.mx);
  fft2(parallel, false, r.batch, r.my, r.mx, y, large.data());
  each_small_row(parallel, r, [&](size_t to, size_t from, float factor) {
    for (size_t i = 0; i < r.nx; ++i) x[to + i] = scaled(large[from + i], factor * r.column_weights[i]);
  });
  fft2(parallel, true, r.batch, r.ny, r.nx, x, x);
}

}  // namespace larmor
