// ESPIRiT: coil sensitivities from the fully sampled centre of k-space.
#pragma once
#include <cstddef>
#include <functional>

#include "core/calibration_data.h"

namespace larmor {

struct EspiritOptions {
  size_t kernel = 6;         // side of the square k-space patches
  double threshold = 0.001;  // keeps patch directions of at least this energy relative to the strongest
  size_t sets = 1;           // eigenvectors kept per pixel
  size_t iterations = 30;    // power iterations per pixel at most
};

/// Told how many steps are done, from any thread.
using Progress = std::function<void(size_t done)>;

/// How many steps espirit() reports for an image of ny rows.
size_t espirit_steps(size_t ny);

/// Sensitivities `maps` [sets, coils, ny, nx] and eigenvalues `values` [sets, ny, nx] at the pixels of an image of any size that shows the
/// field of view of k-space.
///
/// Per pixel the maps of one set have unit norm over the coils, wherever the eigenvalue lies, and the phase of the strongest principal
/// component of the coils. Needs 1 <= kernel <= rows, columns; sets <= coils; finite data; throws CodedError ERR_CALIBRATION if they
/// are all zero in the region.
///
/// Returns the share of pixels, on a grid of at most 48 x 48, whose second eigenvalue is near one too: there the object folds over.
///
/// Uecker et al., Magn Reson Med 2014;71:990-1001.
double espirit(const Parallel& parallel, const Kspace& kspace, const CalibrationRegion& region, const EspiritOptions& options, ImageSize size,
               c32* maps, float* values, const Progress& progress);

}  // namespace larmor
