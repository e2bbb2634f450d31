// The derivative of the encoding operator with respect to the coil maps.
#pragma once
#include <cstddef>

#include "core/complex.h"
#include "core/encoding.h"
#include "core/parallel.h"

namespace larmor {

struct MapsGradientSizes {
  size_t coils, ny, nx;
};

/// gradient [coil, y, x] = conj(image) F^H M kspace of every coil, for an image of planes [2, y, x]: what the maps S must change by for
/// <kspace, M F S image> to grow fastest. Samples where the mask is zero are not read into the result.
void maps_gradient(const Parallel& parallel, const MapsGradientSizes& sizes, const float* image, const c32* kspace, const MaskWeights& mask,
                   c32* gradient);

}  // namespace larmor
