// The region is small, so only the transform of its images is worth more than plain loops.
#include "core/calibration_data.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/fft.h"
#include "core/hermitian_eigen.h"

namespace larmor {
namespace {

/// Weights of n samples, zero just outside them.
std::vector<double> taper(size_t n, bool tapered) {
  std::vector<double> weights(n, 1);
  for (size_t i = 0; tapered && i < n; ++i) {
    const double sine = std::sin(std::numbers::pi * (static_cast<double>(i) + 0.5) / static_cast<double>(n));
    weights[i] = sine * sine;
  }
  return weights;
}

/// Where sample i of n lies among m samples of the same middle; m or more where it does not.
size_t in_the_middle(size_t i, size_t n, size_t m) { return i + m / 2 - n / 2; }

}  // namespace

std::vector<c64> calibration_data(const Kspace& kspace, const CalibrationRegion& region) {
  std::vector<c64> data;
  data.reserve(kspace.coils * region.rows * region.columns);
  for (size_t c = 0; c < kspace.coils; ++c)
    for (size_t y = 0; y < region.rows; ++y)
      for (size_t x = 0; x < region.columns; ++x) {
        const c32 value = kspace.data[(c * kspace.ny + region.row + y) * kspace.nx + region.column + x];
        data.push_back({value.re, value.im});
      }
  return data;
}

void calibration_images(const Parallel& parallel, const Kspace& kspace, const CalibrationRegion& region, bool tapered, ImageSize size, c32* images) {
  const std::vector<double> rows = taper(region.rows, tapered), columns = taper(region.columns, tapered);
  parallel(kspace.coils, [&](size_t c) {
    c32* const image = images + c * size.points();
    std::fill_n(image, size.points(), c32{0, 0});
    for (size_t y = 0; y < region.rows; ++y) {
      const size_t to_y = in_the_middle(y, region.rows, size.ny);
      if (to_y >= size.ny) continue;
      for (size_t x = 0; x < region.columns; ++x) {
        const size_t to_x = in_the_middle(x, region.columns, size.nx);
        if (to_x >= size.nx) continue;
        const c32 value = kspace.data[(c * kspace.ny + region.row + y) * kspace.nx + region.column + x];
        const double weight = rows[y] * columns[x];
        image[to_y * size.nx + to_x] = {static_cast<float>(weight * value.re), static_cast<float>(weight * value.im)};
      }
    }
  });
  fft2(parallel, true, kspace.coils, size.ny, size.nx, images, images);
}

std::vector<c64> principal_coil(size_t coils, size_t points, const c64* data) {
  std::vector<c64> covariance(coils * coils), u(coils);
  for (size_t c = 0; c < coils; ++c)
    for (size_t d = 0; d <= c; ++d) {
      c64 sum{0, 0};
      for (size_t i = 0; i < points; ++i) {
        const c64 p = data[c * points + i], q = data[d * points + i];
        sum.re += p.re * q.re + p.im * q.im;
        sum.im += p.im * q.re - p.re * q.im;
      }
      covariance[c * coils + d] = sum;
    }
  HermitianEigen(Serial{}, coils, covariance.data()).vectors(Serial{}, 1, u.data());
  c64 largest{0, 0};
  for (const c64 entry : u)
    if (std::hypot(entry.re, entry.im) > std::hypot(largest.re, largest.im)) largest = entry;
  const double size = std::hypot(largest.re, largest.im);
  for (c64& entry : u)
    entry = {(entry.re * largest.re + entry.im * largest.im) / size, (entry.im * largest.re - entry.re * largest.im) / size};
  return u;
}

void write_map(const std::vector<c64>& principal, size_t stride, const float* vector, size_t plane, c32* map) {
  double energy = 0;
  c64 projection{0, 0};  // principal^H v
  for (size_t c = 0; c < principal.size(); ++c) {
    const double re = vector[2 * c * stride], im = vector[(2 * c + 1) * stride];
    energy += re * re + im * im;
    projection.re += principal[c].re * re + principal[c].im * im;
    projection.im += principal[c].re * im - principal[c].im * re;
  }
  const double size = std::hypot(projection.re, projection.im), norm = std::sqrt(energy);
  c64 factor{0, 0};
  if (norm > 0) factor = size > 0 ? c64{projection.re / (size * norm), -projection.im / (size * norm)} : c64{1 / norm, 0};
  for (size_t c = 0; c < principal.size(); ++c) {
    const double re = vector[2 * c * stride], im = vector[(2 * c + 1) * stride];
    map[c * plane] = {static_cast<float>(re * factor.re - im * factor.im), static_cast<float>(re * factor.im + im * factor.re)};
  }
}

}  // namespace larmor
