// Geometric coil compression: virtual coils chosen anew at every position along the readout, turned so that they vary smoothly.
#pragma once
#include <cstddef>
#include <vector>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

struct GeometricOptions {
  size_t coils;   // virtual coils; 0: as many as hold `energy`
  double energy;  // share of the energy to keep
  size_t window;  // positions along the readout that one matrix is found from
};

struct GeometricCompression {
  size_t coils;                // virtual coils
  double energy;               // share kept
  std::vector<c32> matrices;   // [ny, virtual coil, coil], orthonormal rows
};

/// Columns [column, column + columns) of y [coils, ny, nx] are sampled along the whole readout, the first axis of k-space.
///
/// Throws CodedError ERR_CALIBRATION if they are zero.
/// Zhang et al., Magn Reson Med 2013;69:571-582.
GeometricCompression geometric_compression(const Parallel& parallel, size_t coils, size_t ny, size_t nx, size_t column, size_t columns,
                                           const c32* y, const GeometricOptions& options);

/// The unitary matrix P [n, n] that brings P A closest to B, given product [n, n] = B A^H: its unitary polar factor. Where the product is
/// singular, P is one of the many that are as close.
void closest_unitary(size_t n, const c64* product, c64* unitary);

}  // namespace larmor
