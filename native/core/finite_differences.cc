// Row by row.
#include "core/finite_differences.h"

namespace larmor {
namespace {

c32 difference(const c32& a, const c32& b) { return {a.re - b.re, a.im - b.im}; }

/// body(image, y) for every row of every image.
template <class Body>
void each_row(const Parallel& parallel, size_t batch, size_t ny, Body&& body) {
  parallel(batch * ny, [&](size_t row) { body(row / ny, row % ny); });
}

}  // namespace

void finite_differences(const Parallel& parallel, size_t batch, size_t ny, size_t nx, const c32* x, c32* d) {
  each_row(parallel, batch, ny, [&](size_t image, size_t y) {
    const c32* const here = x + (image * ny + y) * nx;
    const c32* const above = x + (image * ny + (y > 0 ? y : ny) - 1) * nx;
    c32 *const vertical = d + (2 * image * ny + y) * nx, *const horizontal = vertical + ny * nx;
    for (size_t i = 0; i < nx; ++i) {
      vertical[i] = difference(here[i], above[i]);
      horizontal[i] = difference(here[i], here[(i > 0 ? i : nx) - 1]);
    }
  });
}

void finite_differences_adjoint(const Parallel& parallel, size_t batch, size_t ny, size_t nx, const c32* d, c32* x) {
  each_row(parallel, batch, ny, [&](size_t image, size_t y) {
    const c32 *const vertical = d + (2 * image * ny + y) * nx, *const horizontal = vertical + ny * nx;
    const c32* const below = d + (2 * image * ny + (y + 1 < ny ? y + 1 : 0)) * nx;
    c32* const to = x + (image * ny + y) * nx;
    for (size_t i = 0; i < nx; ++i) {
      const c32 up = difference(vertical[i], below[i]), left = difference(horizontal[i], horizontal[i + 1 < nx ? i + 1 : 0]);
      to[i] = {up.re + left.re, up.im + left.im};
    }
  });
}

}  // namespace larmor
