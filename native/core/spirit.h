// SPIRiT: the k-space that agrees with its samples and, everywhere, with its own neighbourhood in all coils.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/calibration_region.h"
#include "core/complex.h"
#include "core/conjugate_gradients.h"
#include "core/parallel.h"
#include "core/patch_gram.h"

namespace larmor {

struct SpiritOptions {
  Grid kernel{5, 5};                // neighbourhood, the sample itself included
  double lambda = 0.01;             // Tikhonov weight of the calibration, times the Frobenius norm over the side of the normal matrix
  ConjugateGradientOptions solver;  // of which lambda weighs the energy of the missing samples
};

struct SpiritResult {
  size_t missing;
  ConjugateGradientResult solver;  // where lines decouple: of the row that took longest
};

/// What spirit() counts up to.
constexpr size_t kSpiritSteps = 100;

/// `out` [coils, ny, nx]: k-space where `sampled` [ny, nx] is set, bit by bit; elsewhere the samples x that minimise
/// ||(G - I) x||^2 + lambda ||x||^2, where G predicts each sample from those around it in all coils as the calibration region has it,
/// k-space continuing periodically. Needs finite data, a region that holds the kernel, 0 < lambda. `progress` is told steps, from any thread.
///
/// Throws CodedError ERR_CALIBRATION if the region does not determine the weights, ERR_DIVERGED.
/// Lustig & Pauly, Magn Reson Med 2010;64:457-471.
SpiritResult spirit(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* kspace, const uint8_t* sampled,
                    const CalibrationRegion& region, const SpiritOptions& options, c32* out, const std::function<void(size_t done)>& progress);

}  // namespace larmor
