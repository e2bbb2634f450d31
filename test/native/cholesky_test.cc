// Cholesky factors and solutions of known systems, and refusal of matrices that are not positive definite.
#include "core/cholesky.h"

#include <cmath>
#include <random>
#include <vector>

#include "check.h"

using larmor::c64;

int main() {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  for (size_t n : {1, 2, 7, 60}) {
    // A = B B^H + I and b = A x: the solution is x
    std::vector<c64> b(n * n), a(n * n), x(2 * n), y(2 * n, c64{0, 0});
    for (c64& value : b) value = {normal(random), normal(random)};
    for (c64& value : x) value = {normal(random), normal(random)};
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) {
        c64 sum{i == j ? 1.0 : 0.0, 0};
        for (size_t k = 0; k < n; ++k) {
          sum.re += b[i * n + k].re * b[j * n + k].re + b[i * n + k].im * b[j * n + k].im;
          sum.im += b[i * n + k].im * b[j * n + k].re - b[i * n + k].re * b[j * n + k].im;
        }
        a[i * n + j] = sum;
      }
    for (size_t r = 0; r < 2; ++r)
      for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < n; ++j) {
          y[r * n + i].re += a[i * n + j].re * x[r * n + j].re - a[i * n + j].im * x[r * n + j].im;
          y[r * n + i].im += a[i * n + j].re * x[r * n + j].im + a[i * n + j].im * x[r * n + j].re;
        }
    std::vector<c64> l = a;
    CHECK(larmor::cholesky_factor(larmor::Serial{}, n, l.data()));
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j <= i; ++j) {
        c64 sum{0, 0};
        for (size_t k = 0; k <= j; ++k) {
          sum.re += l[i * n + k].re * l[j * n + k].re + l[i * n + k].im * l[j * n + k].im;
          sum.im += l[i * n + k].im * l[j * n + k].re - l[i * n + k].re * l[j * n + k].im;
        }
        CHECK_CLOSE(sum.re, a[i * n + j].re, 1e-12 * static_cast<double>(n));
        CHECK_CLOSE(sum.im, a[i * n + j].im, 1e-12 * static_cast<double>(n));
      }
    larmor::cholesky_solve(n, l.data(), 2, y.data());
    for (size_t i = 0; i < 2 * n; ++i) {
      CHECK_CLOSE(y[i].re, x[i].re, 1e-10);
      CHECK_CLOSE(y[i].im, x[i].im, 1e-10);
    }
  }

  std::vector<c64> known{{4, 0}, {9, 9}, {2, 2}, {6, 0}};  // L = [[2, 0], [1 + i, 2]]; the upper entry is not read
  CHECK(larmor::cholesky_factor(larmor::Serial{}, 2, known.data()));
  CHECK_CLOSE(known[0].re, 2, 1e-15);
  CHECK_CLOSE(known[2].im, 1, 1e-15);
  CHECK_CLOSE(known[3].re, 2, 1e-15);
  CHECK_CLOSE(known[1].im, 9, 0);

  std::vector<c64> singular{{1, 0}, {0, 0}, {0, -1}, {1, 0}};
  CHECK(!larmor::cholesky_factor(larmor::Serial{}, 2, singular.data()));
  std::vector<c64> indefinite{{1, 0}, {0, 0}, {2, 0}, {1, 0}};
  CHECK(!larmor::cholesky_factor(larmor::Serial{}, 2, indefinite.data()));
  std::vector<c64> zero(4, c64{0, 0});
  CHECK(!larmor::cholesky_factor(larmor::Serial{}, 2, zero.data()));
  std::vector<c64> nan{{std::nan(""), 0}};
  CHECK(!larmor::cholesky_factor(larmor::Serial{}, 1, nan.data()));
  return larmor::test::finish();
}
