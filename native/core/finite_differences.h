// Differences of neighbouring pixels along both axes, on a torus.
#pragma once
#include <cstddef>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// d [batch, 2, y, x] of x [batch, y, x]: d[0] = x[y, x] - x[y - 1, x] and d[1] = x[y, x] - x[y, x - 1]; before the first row and column come
/// the last.
void finite_differences(const Parallel& parallel, size_t batch, size_t ny, size_t nx, const c32* x, c32* d);

/// Its adjoint: x = d[0][y, x] - d[0][y + 1, x] + d[1][y, x] - d[1][y, x + 1].
void finite_differences_adjoint(const Parallel& parallel, size_t batch, size_t ny, size_t nx, const c32* d, c32* x);

}  // namespace larmor
