// The distinct ways in which a mask samples the window around the holes of k-space.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/calibration_region.h"
#include "core/patch_gram.h"

namespace larmor {

constexpr size_t kLongestWindow = 16;  // samples along a side

/// Holes of the same pattern see the same window entries sampled. Of pattern p: `entries` and `holes` from begin[p] up to begin[p + 1].
struct SamplingPatterns {
  std::vector<uint16_t> entries;  // row * window.columns + column, ascending
  std::vector<size_t> entry_begin;
  std::vector<size_t> holes;  // positions column * ny + row, ascending
  std::vector<size_t> hole_begin;
  size_t missing;  // holes, those included whose window holds no sample
  size_t count() const { return hole_begin.size() - 1; }
};

/// The patterns, in the order in which they first occur column by column, of a window that reaches floor(n / 2) samples before its
/// centre; sides up to kLongestWindow. `sampled` is [ny, nx]; nothing is sampled outside it.
SamplingPatterns sampling_patterns(size_t ny, size_t nx, const uint8_t* sampled, Grid window);

}  // namespace larmor
