// The factors of the encoding operator on their own: maps and masks as pointwise products.
#pragma once
#include <cstddef>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// out [coil, point] = sum over sets of maps [set, coil, point] times x [set, point].
void multiply_maps(const Parallel& parallel, size_t sets, size_t coils, size_t points, const c32* maps, const c32* x, c32* out);

/// out [set, point] = sum over coils, in order, of conj(maps [set, coil, point]) times y [coil, point].
void combine_coils(const Parallel& parallel, size_t sets, size_t coils, size_t points, const c32* maps, const c32* y, c32* out);

/// out [coil, point] = mask [point] times y [coil, point], and 0 where the mask is 0 whatever y holds. out may be y.
void apply_mask(const Parallel& parallel, size_t coils, size_t points, const float* mask, const c32* y, c32* out);

}  // namespace larmor
