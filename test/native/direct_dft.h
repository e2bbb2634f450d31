// The centred unitary DFT straight from its definition, in double precision, and seeded noise to try it on.
#pragma once
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <vector>

#include "core/complex.h"

namespace larmor::test {

using Complex = std::complex<double>;

inline std::vector<c32> noise(size_t count, uint64_t seed = 1) {
  std::vector<c32> x(count);
  uint64_t state = 0x9e3779b97f4a7c15u * seed + count;
  const auto uniform = [&] {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return static_cast<float>(static_cast<double>(state >> 11) / 9007199254740992.0 - 0.5);
  };
  for (c32& value : x) value = {uniform(), uniform()};
  return x;
}

inline std::vector<Complex> widen(const std::vector<c32>& x) {
  std::vector<Complex> wide;
  for (const c32& value : x) wide.emplace_back(value.re, value.im);
  return wide;
}

/// Transforms the n samples at offset, offset + stride, ... in place.
inline void direct_dft(bool inverse, size_t n, size_t stride, size_t offset, std::vector<Complex>& x) {
  const auto length = static_cast<int64_t>(n), c = length / 2;
  std::vector<Complex> out(n), roots(n);
  for (size_t turn = 0; turn < n; ++turn)
    roots[turn] = std::polar(1.0, (inverse ? 2 : -2) * std::numbers::pi * static_cast<double>(turn) / static_cast<double>(n));
  for (int64_t k = 0; k < length; ++k)
    for (int64_t j = 0; j < length; ++j) out[k] += x[offset + j * stride] * roots[((j - c) * (k - c) % length + length) % length];
  for (size_t k = 0; k < n; ++k) x[offset + k * stride] = out[k] / std::sqrt(static_cast<double>(n));
}

/// Transforms a stack of images [ny, nx] in place.
inline void direct_dft2(bool inverse, size_t ny, size_t nx, std::vector<Complex>& x) {
  for (size_t row = 0; row < x.size() / nx; ++row) direct_dft(inverse, nx, 1, row * nx, x);
  for (size_t image = 0; image < x.size() / (ny * nx); ++image)
    for (size_t column = 0; column < nx; ++column) direct_dft(inverse, ny, nx, image * ny * nx + column, x);
}

inline double relative_error(const std::vector<c32>& got, const std::vector<Complex>& want) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    error += std::norm(Complex(got[i].re, got[i].im) - want[i]);
    norm += std::norm(want[i]);
  }
  return std::sqrt(error / norm);
}

}  // namespace larmor::test
