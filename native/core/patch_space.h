// The space spanned by all k-space patches of a calibration region, where neighbouring samples of all coils depend on each other.
#pragma once
#include <cstddef>
#include <vector>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// Orthonormal patch directions: `re` and `im` are [coils, kernel, kernel, count].
struct PatchSpace {
  size_t count;
  std::vector<double> re, im;
};

/// Principal directions of all kernel x kernel patches of `data` [coils, rows, columns] whose energy is above `threshold` times
/// that of the strongest. Throws CodedError ERR_CALIBRATION if the data are zero.
PatchSpace patch_space(const Parallel& parallel, size_t coils, size_t rows, size_t columns, const c64* data, size_t kernel,
                       double threshold);

}  // namespace larmor
