// Transforms of every length against the direct DFT in double precision, both axes, both directions, for any thread count.
#include "core/fft.h"

#include <cmath>
#include <complex>
#include <cstring>
#include <numbers>
#include <vector>

#include "check.h"
#include "core/fft_plan.h"

namespace {

using larmor::c32;
using Complex = std::complex<double>;

std::vector<c32> noise(size_t count) {
  std::vector<c32> x(count);
  uint64_t state = 0x9e3779b97f4a7c15u + count;
  const auto uniform = [&] {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return static_cast<float>(static_cast<double>(state >> 11) / 9007199254740992.0 - 0.5);
  };
  for (c32& value : x) value = {uniform(), uniform()};
  return x;
}

/// The centred unitary DFT along an axis of n samples `stride` apart, straight from its definition.
void direct(bool inverse, size_t n, size_t stride, std::vector<Complex>& x, size_t offset) {
  const auto c = static_cast<int64_t>(n / 2);
  std::vector<Complex> out(n);
  for (int64_t k = 0; k < static_cast<int64_t>(n); ++k)
    for (int64_t j = 0; j < static_cast<int64_t>(n); ++j) {
      const double turn = static_cast<double>((j - c) * (k - c) % static_cast<int64_t>(n)) / static_cast<double>(n);
      out[k] += x[offset + j * stride] * std::polar(1.0, (inverse ? 2 : -2) * std::numbers::pi * turn);
    }
  for (size_t k = 0; k < n; ++k) x[offset + k * stride] = out[k] / std::sqrt(static_cast<double>(n));
}

std::vector<Complex> widen(const std::vector<c32>& x) {
  std::vector<Complex> wide;
  for (const c32& value : x) wide.emplace_back(value.re, value.im);
  return wide;
}

double relative_error(const std::vector<c32>& got, const std::vector<Complex>& want) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    error += std::norm(Complex(got[i].re, got[i].im) - want[i]);
    norm += std::norm(want[i]);
  }
  return std::sqrt(error / norm);
}

constexpr double kTolerance = 1e-6;  // float32 with double twiddles stays below it at every length tested

void check_length(size_t n) {
  constexpr size_t kRows = 5;
  const std::vector<c32> x = noise(kRows * n);
  for (const bool inverse : {false, true}) {
    std::vector<Complex> want = widen(x);
    for (size_t r = 0; r < kRows; ++r) direct(inverse, n, 1, want, r * n);
    std::vector<c32> got(x.size());
    larmor::fft_rows(larmor::Serial{}, inverse, kRows, n, x.data(), got.data());
    CHECK_CLOSE(relative_error(got, want), 0, kTolerance);

    want = widen(x);
    for (size_t r = 0; r < kRows; ++r) direct(inverse, n, kRows, want, r);
    larmor::fft_columns(larmor::Serial{}, inverse, 1, n, kRows, x.data(), got.data());
    CHECK_CLOSE(relative_error(got, want), 0, kTolerance);
  }
  if (larmor::test::failures != 0) std::fprintf(stderr, "at length %zu\n", n);
}

void check_image(size_t batch, size_t ny, size_t nx) {
  const std::vector<c32> x = noise(batch * ny * nx);
  for (const bool inverse : {false, true}) {
    std::vector<Complex> want = widen(x);
    for (size_t b = 0; b < batch; ++b) {
      for (size_t y = 0; y < ny; ++y) direct(inverse, nx, 1, want, (b * ny + y) * nx);
      for (size_t c = 0; c < nx; ++c) direct(inverse, ny, nx, want, b * ny * nx + c);
    }
    std::vector<c32> got(x.size()), again = x;
    larmor::fft2(larmor::Serial{}, inverse, batch, ny, nx, x.data(), got.data());
    CHECK_CLOSE(relative_error(got, want), 0, kTolerance);
    larmor::fft2(larmor::Pooled{3}, inverse, batch, ny, nx, again.data(), again.data());
    CHECK(std::memcmp(got.data(), again.data(), got.size() * sizeof(c32)) == 0);
  }
}

}  // namespace

int main() {
  for (size_t n = 1; n <= 64; ++n) check_length(n);
  for (const size_t n : {67, 93, 97, 101, 127, 169, 320, 368, 372, 396, 640, 768, 1021}) check_length(n);
  check_image(1, 1, 1);
  check_image(3, 17, 31);
  check_image(9, 33, 20);
  check_image(1, 107, 40);
  bool refused = false;
  try {
    larmor::fft_plan(0);
  } catch (const std::exception&) {
    refused = true;
  }
  CHECK(refused);
  return larmor::test::finish();
}
