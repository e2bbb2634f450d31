// Centring of transforms by phases of their ends, folded into whatever kernel touches the samples anyway: nothing is ever shifted.
//
// With w = exp(-2 pi i / n) and c = floor(n / 2), w^((j-c)(k-c)) = w^(c c / 2 - c j) w^(j k) w^(c c / 2 - c k): the plain transform between two
// phases of the same form. Where n is even w^(-c j) is (-1)^j, and the constants of both ends together are the sign (-1)^(n / 2).
#pragma once
#include "cuda/device.h"

namespace larmor::cuda {

struct Centring {
  const float2 *along_y, *along_x;  // phases of the forward transform; both null where every length is even: then the signs are computed
  bool rows;                        // transforms along x only
  float sign;                       // what remains of the constants: to be multiplied into the scale of a transform

  /// A sample at (y, x), times the phase of the forward transform, or of its inverse.
  template <bool kInverse>
  __device__ float2 apply(float2 value, uint32_t y, uint32_t x) const {
    if (along_x == nullptr) return ((rows ? x : x + y) & 1) != 0 ? float2{-value.x, -value.y} : value;
    value = value * (kInverse ? conjugate(along_x[x]) : along_x[x]);
    return rows ? value : value * (kInverse ? conjugate(along_y[y]) : along_y[y]);
  }
};

}  // namespace larmor::cuda
