// Seeded numbers, and how far results are from each other.
#pragma once
#include <cstdint>

#include "core/complex.h"
#include "device.h"

namespace larmor::gpu_check {

/// Uniform in [-1, 1).
Floats noise(size_t count, uint64_t seed);
/// Either sign, magnitudes uniform in [nearest, 1): no rounding turns their sign.
Floats away_from_zero(size_t count, uint64_t seed, float nearest);
/// ||got - want|| / ||want||, in double; not finite where either is not; ||got|| where `want` is all zeros.
double relative_error(const Floats& got, const Floats& want);
/// Interleaved floats as complex samples.
inline const c32* complex(const float* values) { return reinterpret_cast<const c32*>(values); }
inline c32* complex(float* values) { return reinterpret_cast<c32*>(values); }

}  // namespace larmor::gpu_check
