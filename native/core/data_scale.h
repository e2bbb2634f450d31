// How bright the image behind some k-space is, without reconstructing it.
#pragma once
#include <cstddef>

#include "core/calibration_region.h"
#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// Brightness of kspace [coil, y, x]: the 90th percentile of the root sum of squares over coils of a low-resolution image, or its maximum
/// where that lies further above the percentile than twice the percentile above the median (small objects). The image is that of the fully
/// sampled centre, at most 32 x 32 samples, in the units of a full-size image; of all samples where the centre is smaller than 2 x 2.
float data_scale(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* kspace, const Sampling& sampling);

}  // namespace larmor
