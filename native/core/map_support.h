// Where maps hold: the crop, the weights, and how much of the calibration data maps explain.
#pragma once
#include <cstddef>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// The crop that best parts the eigenvalues [points] of a first set into object and background: Otsu's threshold of sqrt(1 - value),
/// the share of a pixel's amplitude that the patch space rejects.
///
/// Otsu, IEEE Trans Syst Man Cybern 1979;9:62-66.
double automatic_crop(size_t points, const float* values);

/// Weight of a map of this eigenvalue. Hard: 1 above the crop, else 0. Soft: rises smoothly from 0 to 1 with the square root of the
/// eigenvalue, between as far below the crop as 1 lies above it, and is a half at the crop.
double map_weight(double value, double crop, bool soft);

/// Multiplies maps [sets, coils, points] by the weights of their eigenvalues `values` [sets, points].
void weigh_maps(const Parallel& parallel, size_t sets, size_t coils, size_t points, const float* values, double crop, bool soft, c32* maps);

/// ||x - S S^H x||^2 / ||x||^2 of images x [coils, points] under maps S [sets, coils, points]; overwrites the images. 0 of zeros.
double unexplained_share(const Parallel& parallel, size_t sets, size_t coils, size_t points, const c32* maps, c32* images);

}  // namespace larmor
