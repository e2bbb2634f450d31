// The images are made in the place of the maps and divided there, row by row.
#include "core/low_resolution.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/coded_error.h"

namespace larmor {

void low_resolution_maps(const Parallel& parallel, const Kspace& kspace, const CalibrationRegion& region, ImageSize size, c32* maps, float* values) {
  const size_t coils = kspace.coils, plane = size.points();
  const std::vector<c64> data = calibration_data(kspace, region);
  const std::vector<c64> principal = principal_coil(coils, region.rows * region.columns, data.data());
  calibration_images(parallel, kspace, region, true, size, maps);
  parallel(size.ny, [&](size_t y) {
    std::vector<float> vector(2 * coils);
    for (size_t p = y * size.nx; p < (y + 1) * size.nx; ++p) {
      double energy = 0;
      for (size_t c = 0; c < coils; ++c) {
        const c32 value = maps[c * plane + p];
        vector[2 * c] = value.re;
        vector[2 * c + 1] = value.im;
        energy += static_cast<double>(value.re) * value.re + static_cast<double>(value.im) * value.im;
      }
      values[p] = static_cast<float>(std::sqrt(energy));
      write_map(principal, 1, vector.data(), plane, maps + p);
    }
  });
  const float largest = *std::max_element(values, values + plane);
  if (!(largest > 0)) throw CodedError("ERR_CALIBRATION", "lowResolutionMaps: the calibration region holds only zeros");
  for (size_t p = 0; p < plane; ++p) values[p] /= largest;
}

}  // namespace larmor
