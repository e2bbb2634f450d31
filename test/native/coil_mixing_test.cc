// Combinations of coils and their products against plain loops in double, at sizes around the vector width and block sizes.
#include "core/coil_mixing.h"

#include <random>
#include <vector>

#include "check.h"
#include "core/fft.h"

using larmor::c32;
using larmor::c64;

namespace {

std::mt19937_64 random_source(5);

std::vector<c32> noise(size_t n) {
  std::normal_distribution<float> normal;
  std::vector<c32> values(n);
  for (c32& value : values) value = {normal(random_source), normal(random_source)};
  return values;
}

/// Sum of `terms` products of normal numbers, rounded to float at each step.
double tolerance(size_t terms) { return 1e-6 * static_cast<double>(terms + 4); }

void mixing(size_t mixed, size_t coils, size_t points) {
  const auto matrix = noise(mixed * coils), in = noise(coils * points);
  std::vector<c32> out(mixed * points);
  larmor::mix_coils(larmor::Pooled{3}, mixed, coils, points, matrix.data(), in.data(), out.data());
  for (size_t r = 0; r < mixed; ++r)
    for (size_t i = 0; i < points; ++i) {
      c64 sum{0, 0};
      for (size_t c = 0; c < coils; ++c) {
        const c32 m = matrix[r * coils + c], x = in[c * points + i];
        sum.re += static_cast<double>(m.re) * x.re - static_cast<double>(m.im) * x.im;
        sum.im += static_cast<double>(m.re) * x.im + static_cast<double>(m.im) * x.re;
      }
      CHECK_CLOSE(out[r * points + i].re, sum.re, tolerance(coils));
      CHECK_CLOSE(out[r * points + i].im, sum.im, tolerance(coils));
    }
}

void gram(size_t coils, size_t ny, size_t nx, const larmor::CalibrationRegion& region) {
  const auto y = noise(coils * ny * nx);
  std::vector<c64> result(coils * coils);
  larmor::coil_gram(larmor::Pooled{2}, coils, ny, nx, y.data(), region, result.data());
  for (size_t i = 0; i < coils; ++i)
    for (size_t j = 0; j < coils; ++j) {
      c64 sum{0, 0};
      for (size_t row = region.row; row < region.row + region.rows; ++row)
        for (size_t x = region.column; x < region.column + region.columns; ++x) {
          const c32 a = y[(i * ny + row) * nx + x], b = y[(j * ny + row) * nx + x];
          sum.re += static_cast<double>(a.re) * b.re + static_cast<double>(a.im) * b.im;
          sum.im += static_cast<double>(a.im) * b.re - static_cast<double>(a.re) * b.im;
        }
      CHECK_CLOSE(result[i * coils + j].re, sum.re, 1e-12 * static_cast<double>(region.rows * region.columns));
      CHECK_CLOSE(result[i * coils + j].im, sum.im, 1e-12 * static_cast<double>(region.rows * region.columns));
    }
}

/// One matrix per position of the image along the first axis, against transforms of the whole.
void along_readout(size_t mixed, size_t coils, size_t ny, size_t nx) {
  const auto matrices = noise(ny * mixed * coils), in = noise(coils * ny * nx);
  std::vector<c32> out(mixed * ny * nx), images(in.size()), wanted(out.size());
  const larmor::Serial serial;
  larmor::mix_coils_along_readout(serial, mixed, coils, ny, nx, matrices.data(), in.data(), out.data());
  larmor::fft_columns(serial, true, coils, ny, nx, in.data(), images.data());
  for (size_t y = 0; y < ny; ++y)
    for (size_t r = 0; r < mixed; ++r)
      for (size_t x = 0; x < nx; ++x) {
        c64 sum{0, 0};
        for (size_t c = 0; c < coils; ++c) {
          const c32 m = matrices[(y * mixed + r) * coils + c], value = images[(c * ny + y) * nx + x];
          sum.re += static_cast<double>(m.re) * value.re - static_cast<double>(m.im) * value.im;
          sum.im += static_cast<double>(m.re) * value.im + static_cast<double>(m.im) * value.re;
        }
        wanted[(r * ny + y) * nx + x] = {static_cast<float>(sum.re), static_cast<float>(sum.im)};
      }
  larmor::fft_columns(serial, false, mixed, ny, nx, wanted.data(), wanted.data());
  for (size_t i = 0; i < out.size(); ++i) {
    CHECK_CLOSE(out[i].re, wanted[i].re, 4 * tolerance(coils));
    CHECK_CLOSE(out[i].im, wanted[i].im, 4 * tolerance(coils));
  }
}

}  // namespace

int main() {
  for (const size_t mixed : {1, 3, 4, 9})
    for (const size_t points : {1, 7, 8, 17, 257}) mixing(mixed, 5, points);
  mixing(6, 1, 5000);
  gram(1, 1, 1, {0, 1, 0, 1});
  gram(4, 5, 19, {1, 3, 2, 15});
  gram(3, 40, 300, {0, 40, 0, 300});
  along_readout(2, 3, 6, 5);
  along_readout(3, 3, 10, 33);
  return larmor::test::finish();
}
