// ESPIRiT: coil sensitivities from the fully sampled centre of k-space.
#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "core/calibration_data.h"

namespace larmor {

struct EspiritOptions {
  size_t kernel = 6;         // side of the square k-space patches
  double threshold = 0.001;  // keeps patch directions of at least this energy relative to the strongest
  size_t sets = 1;           // eigenvectors kept per pixel
  size_t iterations = 30;    // power iterations per pixel at most
};

/// The eigenproblems of all pixels: the matrix of a pixel is a trigonometric polynomial, given by its values on a grid of odd side over
/// the field of view.
struct EspiritGrid {
  size_t coils;
  size_t points;                // per axis: 2 kernel - 1
  std::vector<float> matrices;  // [points y, coils * coils, points x]: per row c of the lower triangle re and im of (c, d < c), then re of (c, c)
  std::vector<c64> principal;   // [coils], the phase of the maps
};

/// Relative residual at which a pixel's power iteration ends.
constexpr float kEspiritTolerance = 1e-4f;

/// What espirit() computes from the calibration region, before any pixel.
EspiritGrid espirit_grid(const Parallel& parallel, const Kspace& kspace, const CalibrationRegion& region, const EspiritOptions& options);

/// What espirit() returns.
double espirit_folded_share(const Parallel& parallel, const EspiritGrid& grid, const EspiritOptions& options, ImageSize size);

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
