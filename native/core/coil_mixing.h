// Coils combined linearly: one matrix for all samples, or one for every position along the readout; and the products of coils with each
// other, from which such matrices are found.
#pragma once
#include <cstddef>

#include "core/calibration_region.h"
#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// gram [coils, coils] = sum over the samples of the region of y_i conj(y_j), for y [coils, ny, nx]; in double, in an order that depends
/// on sizes only.
void coil_gram(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* y, const CalibrationRegion& region, c64* gram);

/// out [mixed, points] = matrix [mixed, coils] times in [coils, points].
void mix_coils(const Parallel& parallel, size_t mixed, size_t coils, size_t points, const c32* matrix, const c32* in, c32* out);

/// The same with a matrix of its own for every position along the readout, the first axis of k-space: out [mixed, ny, nx] is the
/// transform along that axis of matrices [y] times the inverse transform of in [coils, ny, nx]; matrices are [ny, mixed, coils].
void mix_coils_along_readout(const Parallel& parallel, size_t mixed, size_t coils, size_t ny, size_t nx, const c32* matrices, const c32* in,
                             c32* out);

}  // namespace larmor
