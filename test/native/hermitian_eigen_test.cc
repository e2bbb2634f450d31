// Eigenpairs of random, repeated, singular and closed-form Hermitian matrices.
#include "core/hermitian_eigen.h"

#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "check.h"

namespace {

using larmor::c64;
using larmor::HermitianEigen;
using Matrix = std::vector<c64>;

Matrix random_hermitian(size_t n, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Matrix a(n * n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) {
      const c64 value{normal(random), i == j ? 0 : normal(random)};
      a[i * n + j] = value;
      a[j * n + i] = {value.re, -value.im};
    }
  return a;
}

double norm(const Matrix& a) {
  double sum = 0;
  for (const c64& value : a) sum += value.re * value.re + value.im * value.im;
  return std::sqrt(sum);
}

/// Largest |A v - lambda v| and largest |v_p^H v_q - delta_pq| over all eigenpairs, against n eps |A| and n eps.
void check_pairs(size_t n, const Matrix& a) {
  const HermitianEigen eigen(larmor::Serial{}, n, a.data());
  Matrix v(n * n);
  eigen.vectors(larmor::Serial{}, n, v.data());
  double residual = 0, overlap = 0, trace = 0, sum = 0;
  for (size_t k = 0; k < n; ++k) {
    sum += eigen.values()[k];
    trace += a[k * n + k].re;
    CHECK(k == 0 || eigen.values()[k - 1] >= eigen.values()[k]);
    for (size_t i = 0; i < n; ++i) {
      double re = -eigen.values()[k] * v[k * n + i].re, im = -eigen.values()[k] * v[k * n + i].im;
      for (size_t j = 0; j < n; ++j) {
        const c64 m = a[i * n + j], x = v[k * n + j];
        re += m.re * x.re - m.im * x.im;
        im += m.re * x.im + m.im * x.re;
      }
      residual = std::fmax(residual, std::hypot(re, im));
    }
    for (size_t q = 0; q <= k; ++q) {
      double re = q == k ? -1 : 0, im = 0;
      for (size_t j = 0; j < n; ++j) {
        const c64 x = v[k * n + j], y = v[q * n + j];
        re += x.re * y.re + x.im * y.im;
        im += x.re * y.im - x.im * y.re;
      }
      overlap = std::fmax(overlap, std::hypot(re, im));
    }
  }
  const double tolerance = 4 * static_cast<double>(n) * std::numeric_limits<double>::epsilon();
  CHECK(residual <= tolerance * norm(a));
  CHECK(overlap <= tolerance);
  CHECK_CLOSE(sum, trace, tolerance * norm(a));
}

/// Sum of `rank` outer products whose weights fall by `decay` from one to the next: what calibration sees in data without noise.
Matrix low_rank(size_t n, size_t rank, double decay) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  Matrix a(n * n);
  double weight = 1;
  for (size_t k = 0; k < rank; ++k, weight *= decay) {
    Matrix u(n);
    for (c64& value : u) value = {normal(random), normal(random)};
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) {
        a[i * n + j].re += weight * (u[i].re * u[j].re + u[i].im * u[j].im);
        a[i * n + j].im += weight * (u[i].im * u[j].re - u[i].re * u[j].im);
      }
  }
  for (size_t i = 0; i < n; ++i) a[i * n + i].im = 0;
  return a;
}

}  // namespace

int main() {
  check_pairs(150, low_rank(150, 3, 0.5));
  check_pairs(150, low_rank(150, 100, 0.3));
  for (size_t n : {1, 2, 3, 5, 8, 17, 64, 121}) check_pairs(n, random_hermitian(n, static_cast<unsigned>(n)));

  for (double scale : {1e-200, 1e200}) {  // squares would leave the range of doubles
    Matrix a = random_hermitian(12, 7);
    for (c64& value : a) value = {value.re * scale, value.im * scale};
    const HermitianEigen scaled(larmor::Serial{}, 12, a.data());
    const Matrix plain = random_hermitian(12, 7);
    const HermitianEigen reference(larmor::Serial{}, 12, plain.data());
    for (size_t k = 0; k < 12; ++k) CHECK_CLOSE(scaled.values()[k] / scale, reference.values()[k], 1e-13);
  }

  {  // [[2, i], [-i, 2]]: 3 and 1
    const Matrix a{{2, 0}, {0, 1}, {0, -1}, {2, 0}};
    const HermitianEigen eigen(larmor::Serial{}, 2, a.data());
    CHECK_CLOSE(eigen.values()[0], 3, 1e-15);
    CHECK_CLOSE(eigen.values()[1], 1, 1e-15);
  }
  {  // discrete Laplacian: 2 - 2 cos(pi k / (n + 1))
    const size_t n = 50;
    Matrix a(n * n, c64{0, 0});
    for (size_t i = 0; i < n; ++i) {
      a[i * n + i] = {2, 0};
      if (i > 0) a[i * n + i - 1] = a[(i - 1) * n + i] = {-1, 0};
    }
    const HermitianEigen eigen(larmor::Serial{}, n, a.data());
    for (size_t k = 0; k < n; ++k)
      CHECK_CLOSE(eigen.values()[k], 2 - 2 * std::cos(M_PI * static_cast<double>(n - k) / static_cast<double>(n + 1)), 1e-14);
    check_pairs(n, a);
  }
  {  // zero, identity and a projector of rank 2: repeated and vanishing eigenvalues
    const size_t n = 20;
    Matrix a(n * n, c64{0, 0});
    check_pairs(n, a);
    for (size_t i = 0; i < n; ++i) a[i * n + i] = {1, 0};
    check_pairs(n, a);
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) {  // Fourier vectors 1 and 3
        const double angle = 2 * M_PI * (static_cast<double>(i) - static_cast<double>(j)) / static_cast<double>(n);
        a[i * n + j] = {(std::cos(angle) + std::cos(3 * angle)) / n, (std::sin(angle) + std::sin(3 * angle)) / n};
      }
    check_pairs(n, a);
    const HermitianEigen eigen(larmor::Serial{}, n, a.data());
    CHECK_CLOSE(eigen.values()[1], 1, 1e-14);
    CHECK_CLOSE(eigen.values()[2], 0, 1e-14);
  }
  {
    Matrix a(4, c64{0, 0});
    a[2].im = std::nan("");
    bool thrown = false;
    try {
      HermitianEigen(larmor::Serial{}, 2, a.data());
    } catch (const std::domain_error&) {
      thrown = true;
    }
    CHECK(thrown);
  }
  return larmor::test::finish();
}
