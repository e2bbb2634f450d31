// ESPIRiT: coil sensitivities from the fully sampled centre of k-space.
#pragma once
#include <cstddef>
#include <functional>

#include "core/calibration_region.h"
#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

struct EspiritOptions {
  size_t kernel = 6;         // side of the square k-space patches
  double threshold = 0.001;  // keeps patch directions of at least this energy relative to the strongest
  double crop = 0.8;         // maps are zero where the eigenvalue is not above
  size_t sets = 1;           // eigenvectors kept per pixel
  size_t iterations = 30;    // power iterations per pixel at most
};

/// Told how many steps are done, from any thread.
using Progress = std::function<void(size_t done)>;

/// How many steps espirit() reports for an image of ny rows.
size_t espirit_steps(size_t ny);

/// Sensitivities `maps` [sets, coils, ny, nx] and eigenvalues `values` [sets, ny, nx] of k-space [coils, ny, nx].
///
/// Per pixel the maps of one set have unit norm over the coils where the eigenvalue is above `crop` and are zero elsewhere. Their
/// phase is relative to the strongest principal component of the coils. Needs 1 <= kernel <= rows, columns; sets <= coils;
/// finite data; throws CodedError ERR_CALIBRATION if they are all zero in the region.
///
/// Uecker et al., Magn Reson Med 2014;71:990-1001.
void espirit(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* kspace, const CalibrationRegion& region,
             const EspiritOptions& options, c32* maps, float* values, const Progress& progress);

}  // namespace larmor
