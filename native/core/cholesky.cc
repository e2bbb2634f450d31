// Row-wise Cholesky: every inner loop is a dot product of two rows of L.
#include "core/cholesky.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace larmor {
namespace {

/// sum over k of a[k] conj(b[k])
c64 dot(size_t n, const c64* a, const c64* b) {
  c64 sum{0, 0};
  for (size_t k = 0; k < n; ++k) {
    sum.re += a[k].re * b[k].re + a[k].im * b[k].im;
    sum.im += a[k].im * b[k].re - a[k].re * b[k].im;
  }
  return sum;
}

}  // namespace

bool cholesky_factor(size_t n, c64* a) {
  double largest = 0;
  for (size_t i = 0; i < n; ++i) largest = std::max(largest, std::fabs(a[i * n + i].re));
  const double smallest = static_cast<double>(n) * std::numeric_limits<double>::epsilon() * largest;
  for (size_t i = 0; i < n; ++i) {
    c64* const row = a + i * n;
    for (size_t j = 0; j < i; ++j) {
      const c64* const other = a + j * n;
      const c64 sum = dot(j, row, other);
      row[j] = {(row[j].re - sum.re) / other[j].re, (row[j].im - sum.im) / other[j].re};
    }
    const double pivot = row[i].re - dot(i, row, row).re;
    if (!(pivot > smallest)) return false;
    row[i] = {std::sqrt(pivot), 0};
  }
  return true;
}

void cholesky_solve(size_t n, const c64* l, size_t count, c64* b) {
  for (size_t r = 0; r < count; ++r, b += n) {
    for (size_t i = 0; i < n; ++i) {
      const c64* const row = l + i * n;
      c64 sum = b[i];
      for (size_t k = 0; k < i; ++k) {
        sum.re -= row[k].re * b[k].re - row[k].im * b[k].im;
        sum.im -= row[k].re * b[k].im + row[k].im * b[k].re;
      }
      b[i] = {sum.re / row[i].re, sum.im / row[i].re};
    }
    for (size_t i = n; i-- > 0;) {
      const c64* const row = l + i * n;
      b[i] = {b[i].re / row[i].re, b[i].im / row[i].re};
      for (size_t k = 0; k < i; ++k) {  // column k of L^H is the conjugate of row i of L
        b[k].re -= row[k].re * b[i].re + row[k].im * b[i].im;
        b[k].im -= row[k].re * b[i].im - row[k].im * b[i].re;
      }
    }
  }
}

}  // namespace larmor
