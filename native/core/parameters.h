// What training does to a network's flat parameters beside the optimiser's step: norms, sums of gradients, running averages.
#pragma once
#include <cstddef>

#include "core/parallel.h"

namespace larmor {

/// ||x||_2, summed in double in an order that the number of threads does not change; not finite where a value is not.
double norm(const Parallel& parallel, size_t length, const float* x);

/// y = keep y + add x; with keep = 0 it does not matter what y holds. x may be y.
void blend(const Parallel& parallel, size_t length, float keep, float* y, float add, const float* x);

/// y += rate (x - y): values equal in both stay as they are, to the bit.
void approach(const Parallel& parallel, size_t length, float rate, float* y, const float* x);

}  // namespace larmor
