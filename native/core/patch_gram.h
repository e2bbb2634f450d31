// Inner products of all pairs of entries of the patches of a calibration region.
#pragma once
#include <cstddef>
#include <vector>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

struct Grid {
  size_t rows, columns;
  size_t size() const { return rows * columns; }
};

/// With s(p) the patch [coils, kernel] of `data` [coils, image] at position p, the sum over all positions of s(p) s(p)^H, squared
/// matrix of side coils * kernel.size(). The lower triangle (column <= row) is complete, the upper undefined. Needs a kernel that fits.
std::vector<c64> patch_gram(const Parallel& parallel, size_t coils, Grid image, const c64* data, Grid kernel);

}  // namespace larmor
