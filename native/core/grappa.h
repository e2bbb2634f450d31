// GRAPPA: fills the holes of k-space with linear combinations of their measured neighbours in all coils.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/calibration_region.h"
#include "core/complex.h"
#include "core/parallel.h"
#include "core/patch_gram.h"

namespace larmor {

struct GrappaOptions {
  Grid kernel{5, 5};     // window around a hole; sides up to kLongestWindow
  double lambda = 0.01;  // Tikhonov weight, times the Frobenius norm over the side of the normal matrix
};

struct GrappaResult {
  size_t patterns;  // distinct ways in which windows are sampled
  size_t missing;   // holes
  size_t unfilled;  // those whose window holds no sample: they stay zero
};

/// What grappa() counts up to.
constexpr size_t kGrappaSteps = 100;

/// `out` [coils, ny, nx]: k-space where `sampled` [ny, nx] is set, bit by bit; elsewhere the combination of the samples within the window,
/// which reaches floor(n / 2) before the hole, that explains the calibration region best. Needs finite data and 0 < lambda.
/// `progress` is told steps done, from any thread.
///
/// Throws CodedError ERR_CALIBRATION if the region does not determine the weights.
/// Griswold et al., Magn Reson Med 2002;47:1202-1210.
GrappaResult grappa(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* kspace, const uint8_t* sampled,
                    const CalibrationRegion& region, const GrappaOptions& options, c32* out, const std::function<void(size_t done)>& progress);

}  // namespace larmor
