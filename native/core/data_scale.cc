// The rule of BART's pics, so that weights mean the same in both.
#include "core/data_scale.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/fft.h"

namespace larmor {
namespace {

constexpr size_t kLargestSide = 32;

/// Root sum of squares over coils of the images of a block of k-space.
std::vector<float> combined_image(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* kspace, const CalibrationRegion& block) {
  const size_t points = block.rows * block.columns;
  std::vector<c32> images(coils * points);
  for (size_t c = 0; c < coils; ++c)
    for (size_t y = 0; y < block.rows; ++y)
      std::copy_n(kspace + (c * ny + block.row + y) * nx + block.column, block.columns, images.data() + c * points + y * block.columns);
  fft2(parallel, true, coils, block.rows, block.columns, images.data(), images.data());
  std::vector<float> combined(points);
  for (size_t p = 0; p < points; ++p) {
    double energy = 0;
    for (size_t c = 0; c < coils; ++c) {
      const c32 value = images[c * points + p];
      energy += static_cast<double>(value.re) * value.re + static_cast<double>(value.im) * value.im;
    }
    combined[p] = static_cast<float>(std::sqrt(energy));
  }
  return combined;
}

}  // namespace

float data_scale(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* kspace, const Sampling& sampling) {
  CalibrationRegion block = calibration_region(coils, ny, nx, kspace, sampling, kLargestSide, kLargestSide);
  if (block.rows < 2 || block.columns < 2) block = {0, ny, 0, nx};
  std::vector<float> image = combined_image(parallel, coils, ny, nx, kspace, block);
  std::sort(image.begin(), image.end());
  const float median = image[image.size() / 2], high = image[static_cast<size_t>(0.9 * static_cast<double>(image.size()))], maximum = image.back();
  const float scale = maximum - high < 2 * (high - median) ? high : maximum;
  return scale * std::sqrt(static_cast<float>(block.rows * block.columns) / static_cast<float>(ny * nx));
}

}  // namespace larmor
