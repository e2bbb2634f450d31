// Centring of plain transforms by phases of their ends.
//
// With w = exp(-2 pi i / n) and c = floor(n / 2), w^((j-c)(k-c)) = w^(c c / 2 - c j) w^(j k) w^(c c / 2 - c k): the plain transform between two
// phases of the same form.
#pragma once
#include "cuda/passes.h"

namespace larmor::cuda {

/// Phases of the forward transform; along_y is null for transforms along x only.
struct Centring {
  const float2 *along_y, *along_x;

  /// A sample, times the phase of the forward transform, or of its inverse.
  __device__ float2 apply(bool inverse, float2 value, const Pixel& pixel) const {
    const auto phase = [&](const float2* phases, int32_t i) { return inverse ? conjugate(phases[i]) : phases[i]; };
    value = phase(along_x, pixel.x) * value;
    return along_y == nullptr ? value : phase(along_y, pixel.y) * value;
  }
};

}  // namespace larmor::cuda
