// A step of k-space towards measured samples, as unrolled networks take it, and its derivative with respect to the length of the step.
#pragma once
#include <cstddef>

#include "core/encoding.h"
#include "core/parallel.h"

namespace larmor {

struct SampleStepSizes {
  size_t coils, ny, nx;
};

/// result = kspace - step M (kspace - measured) + change, all [coil, y, x] interleaved. `measured` and `change` may be null, which stands
/// for zeros; the result may lie where any of the three does.
void sample_step(const Parallel& parallel, const SampleStepSizes& sizes, const float* kspace, const MaskWeights& mask, float step, const float* measured,
                 const float* change, float* result);

/// The sum of -M (kspace - measured) times dy, parts on their own: the derivative of what has the derivative dy with respect to the result.
/// Rows are summed in single precision by eight lanes, the rest in double.
double sample_step_gradient(const Parallel& parallel, const SampleStepSizes& sizes, const float* dy, const float* kspace, const MaskWeights& mask,
                            const float* measured);

}  // namespace larmor
