// Sizes of lane buffers, which hold as many rows or columns side by side as the instruction set has lanes (see lanes.inl).
#pragma once
#include <cstddef>

#include "core/kernels.h"

namespace larmor {

/// Lane buffers that n rows or columns fill.
inline size_t lane_blocks(size_t n) { return (n + kernels().lanes - 1) / kernels().lanes; }

/// Floats of one slot: real and imaginary parts of every lane.
inline size_t slot_floats() { return 2 * kernels().lanes; }

}  // namespace larmor
