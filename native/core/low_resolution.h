// Coil sensitivities from the ratio of low-resolution images.
#pragma once
#include <cstddef>

#include "core/calibration_data.h"

namespace larmor {

/// Unit maps [coils, ny, nx]: each coil's image of the tapered calibration region over the root of their sum of squares, in phase with the
/// principal coil. `values` [ny, nx] is that root relative to its largest. Throws CodedError ERR_CALIBRATION if the region holds only zeros.
///
/// McKenzie et al., Magn Reson Med 2002;47:529-538.
void low_resolution_maps(const Parallel& parallel, const Kspace& kspace, const CalibrationRegion& region, ImageSize size, c32* maps, float* values);

}  // namespace larmor
