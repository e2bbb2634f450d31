// Noise amplification of SENSE with uniform undersampling.
#pragma once
#include <cstddef>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// g [ny, nx] of whitened maps [coils, ny, nx] where the pixels (y + i ny / ry, x + j nx / rx) alias onto each other; ry divides ny and rx
/// divides nx. With S the maps of the aliased pixels at which they are not zero: g_p = sqrt(((S^H S)^-1)_pp (S^H S)_pp), in double.
/// g is 0 where the maps are zero, and infinite where S^H S is singular.
///
/// Pruessmann et al., Magn Reson Med 1999;42:952-962.
void sense_gfactor(const Parallel& parallel, size_t coils, size_t ny, size_t nx, size_t ry, size_t rx, const c32* maps, float* g);

}  // namespace larmor
