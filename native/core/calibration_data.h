// The calibration region as data: its samples, its image, and the phase that maps are given.
#pragma once
#include <cstddef>
#include <vector>

#include "core/calibration_region.h"
#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// k-space [coils, ny, nx].
struct Kspace {
  size_t coils, ny, nx;
  const c32* data;
};

struct ImageSize {
  size_t ny, nx;
  size_t points() const { return ny * nx; }
};

/// The region's samples [coils, rows, columns].
std::vector<c64> calibration_data(const Kspace& kspace, const CalibrationRegion& region);

/// Images [coils, ny, nx] of the region alone, moved to the middle of k-space: but for a phase that all coils share, as if k-space were zero
/// elsewhere. `tapered` weighs the samples with sine-squared (Hann) windows, so that nothing rings. Of a region larger than the image the
/// middle is taken.
void calibration_images(const Parallel& parallel, const Kspace& kspace, const CalibrationRegion& region, bool tapered, ImageSize size, c32* images);

/// The strongest principal component of the coils' samples [coils, points], its largest entry real.
std::vector<c64> principal_coil(size_t coils, size_t points, const c64* data);

/// Writes one pixel's map, map[c * plane]: the vector of unit norm in phase with the principal coil, or zeros for a vector of zeros.
/// Entry c of the vector is vector[2 c stride] + i vector[(2 c + 1) stride].
void write_map(const std::vector<c64>& principal, size_t stride, const float* vector, size_t plane, c32* map);

}  // namespace larmor
