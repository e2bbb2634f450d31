// Inner products of all pairs of entries of the patches of a calibration region.
#pragma once
#include <cstddef>
#include <vector>

#include "core/calibration_region.h"
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

/// What lies around a calibration region: nothing, so that patches stay within it, or floor(kernel / 2) zeros on every side, so that every
/// position of it is the centre of a patch (and, for even sides, one beyond).
enum class Margin { kNone, kZeros };

/// patch_gram of a region of k-space [coils, ny, nx].
std::vector<c64> region_gram(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* kspace, const CalibrationRegion& region,
                             Grid kernel, Margin margin);

/// Adds lambda |A| / n to the diagonal of the Hermitian A [n, n], |A| its Frobenius norm; reads and writes the lower triangle.
void add_relative_ridge(size_t n, double lambda, c64* a);

}  // namespace larmor
