// Unitary polar factors, and geometric compression of coils that see only a few directions at each position.
#include "core/coil_compression.h"

#include <cmath>
#include <random>
#include <vector>

#include "check.h"
#include "core/coded_error.h"
#include "core/fft.h"

using larmor::c32;
using larmor::c64;

namespace {

std::mt19937_64 random_source(7);
std::normal_distribution<double> normal;

void check_unitary(size_t n, const std::vector<c64>& p) {
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      c64 sum{0, 0};
      for (size_t k = 0; k < n; ++k) {
        sum.re += p[i * n + k].re * p[j * n + k].re + p[i * n + k].im * p[j * n + k].im;
        sum.im += p[i * n + k].im * p[j * n + k].re - p[i * n + k].re * p[j * n + k].im;
      }
      CHECK_CLOSE(sum.re, i == j ? 1 : 0, 1e-10);
      CHECK_CLOSE(sum.im, 0, 1e-10);
    }
}

/// The polar factor P of M makes P^H M Hermitian and positive: no unitary matrix has a larger Re tr(Q^H M).
void polar_factor(size_t n, size_t rank) {
  std::vector<c64> m(n * n), p(n * n);
  for (size_t r = 0; r < rank; ++r) {
    std::vector<c64> a(n), b(n);
    for (size_t i = 0; i < n; ++i) a[i] = {normal(random_source), normal(random_source)}, b[i] = {normal(random_source), normal(random_source)};
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) {
        m[i * n + j].re += a[i].re * b[j].re - a[i].im * b[j].im;
        m[i * n + j].im += a[i].re * b[j].im + a[i].im * b[j].re;
      }
  }
  larmor::closest_unitary(n, m.data(), p.data());
  check_unitary(n, p);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      c64 ij{0, 0}, ji{0, 0};  // entries of P^H M
      for (size_t k = 0; k < n; ++k) {
        ij.re += p[k * n + i].re * m[k * n + j].re + p[k * n + i].im * m[k * n + j].im;
        ij.im += p[k * n + i].re * m[k * n + j].im - p[k * n + i].im * m[k * n + j].re;
        ji.re += p[k * n + j].re * m[k * n + i].re + p[k * n + j].im * m[k * n + i].im;
        ji.im += p[k * n + j].re * m[k * n + i].im - p[k * n + j].im * m[k * n + i].re;
      }
      CHECK_CLOSE(ij.re, ji.re, 1e-8 * static_cast<double>(n));
      CHECK_CLOSE(ij.im, -ji.im, 1e-8 * static_cast<double>(n));
      if (i == j) CHECK(ij.re > -1e-9);
    }
}

/// Coils that see two directions, which turn along the readout: two virtual coils hold all, and vary as slowly as the directions do.
void turning_coils() {
  const size_t coils = 5, ny = 32, nx = 12;
  std::vector<c32> data(coils * ny * nx);
  for (size_t y = 0; y < ny; ++y)
    for (size_t x = 0; x < nx; ++x) {
      const c64 a{normal(random_source), normal(random_source)}, b{normal(random_source), normal(random_source)};
      const double angle = 0.05 * static_cast<double>(y);
      const double first[] = {std::cos(angle), std::sin(angle), 0, 0, 0}, second[] = {0, 0, std::cos(angle), 0, std::sin(angle)};
      for (size_t c = 0; c < coils; ++c)
        data[(c * ny + y) * nx + x] = {static_cast<float>(3 * a.re * first[c] + b.re * second[c]),
                                       static_cast<float>(3 * a.im * first[c] + b.im * second[c])};
    }
  larmor::fft_columns(larmor::Serial{}, false, coils, ny, nx, data.data(), data.data());
  const auto found = larmor::geometric_compression(larmor::Pooled{2}, coils, ny, nx, 1, nx - 2, data.data(), {0, 0.999999, 1});
  CHECK(found.coils == 2);
  CHECK_CLOSE(found.energy, 1, 1e-6);
  const size_t entries = 2 * coils;
  for (size_t y = 0; y + 1 < ny; ++y) {
    double change = 0;
    for (size_t i = 0; i < entries; ++i) {
      const c32 p = found.matrices[y * entries + i], q = found.matrices[(y + 1) * entries + i];
      change += std::pow(p.re - q.re, 2) + std::pow(p.im - q.im, 2);
    }
    CHECK(std::sqrt(change) < 0.05 * std::sqrt(2.0) + 1e-3);  // both directions turn by 0.05
  }
}

}  // namespace

int main() {
  for (const size_t n : {1, 2, 5, 16})
    for (const size_t rank : {n, n / 2, size_t{0}}) polar_factor(n, rank);
  turning_coils();
  const std::vector<c32> zeros(2 * 8 * 8);
  bool refused = false;
  try {
    larmor::geometric_compression(larmor::Serial{}, 2, 8, 8, 0, 8, zeros.data(), {1, 1, 5});
  } catch (const larmor::CodedError& error) {
    refused = error.code() == "ERR_CALIBRATION";
  }
  CHECK(refused);
  return larmor::test::finish();
}
