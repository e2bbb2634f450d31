// Row-wise: every inner loop runs along rows of L. The solution stays conjugated on its way, for L z is then a product of a row and a
// conjugate, and L^H x takes multiples of rows.
#include "core/cholesky.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/kernels.h"

namespace larmor {
namespace {

c64 conjugate(c64 v) { return {v.re, -v.im}; }

}  // namespace

bool cholesky_factor(const Parallel& parallel, size_t n, c64* a) {
  double largest = 0;
  for (size_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(a[i * n + i].re));
  const double smallest = static_cast<double>(n) * std::numeric_limits<double>::epsilon() * largest;
  for (size_t i = 0; i < n; ++i) {
    parallel.poll();
    c64* const row = a + i * n;
    for (size_t j = 0; j < i; ++j) {
      const c64* const other = a + j * n;
      const c64 sum = kernels().complex_dot(j, row, other);
      row[j] = {(row[j].re - sum.re) / other[j].re, (row[j].im - sum.im) / other[j].re};
    }
    const double pivot = row[i].re - kernels().complex_dot(i, row, row).re;
    if (!(pivot > smallest)) return false;
    row[i] = {std::sqrt(pivot), 0};
  }
  return true;
}

void cholesky_solve(size_t n, const c64* l, size_t count, c64* b) {
  for (size_t r = 0; r < count; ++r, b += n) {
    for (size_t i = 0; i < n; ++i) {
      const c64* const row = l + i * n;
      const c64 sum = kernels().complex_dot(i, row, b);
      b[i] = {(b[i].re - sum.re) / row[i].re, (sum.im - b[i].im) / row[i].re};
    }
    for (size_t i = n; i-- > 0;) {
      const c64* const row = l + i * n;
      b[i] = {b[i].re / row[i].re, b[i].im / row[i].re};
      kernels().subtract_multiple(i, b[i], row, b);
    }
    std::transform(b, b + n, b, conjugate);
  }
}

}  // namespace larmor
