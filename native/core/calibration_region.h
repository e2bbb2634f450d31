// Finds the fully sampled centre of k-space.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/complex.h"

namespace larmor {

/// A block of k-space: rows along ky, columns along kx.
struct CalibrationRegion {
  size_t row, rows, column, columns;
};

/// Which positions of k-space were measured: [nx], the same for every row, or [ny, nx]. Without data: where any coil is not zero.
struct Sampling {
  const uint8_t* data;
  bool lines;
};

/// Each position of [ny, nx]: 1 where it was measured, else 0.
std::vector<uint8_t> sampled_points(size_t coils, size_t ny, size_t nx, const c32* kspace, const Sampling& sampling);

/// The largest block around the centre, at most max_rows x max_columns, of which every position is sampled; a side is 0 where even the
/// centre is not. Where whole readouts are sampled, it moves along ky to the rows of most energy, as the echo may be off centre.
CalibrationRegion calibration_region(size_t coils, size_t ny, size_t nx, const c32* kspace, const Sampling& sampling, size_t max_rows,
                                     size_t max_columns);

}  // namespace larmor
