// The steps of a transform as plain data: what the kernels of every instruction set read.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/complex.h"

namespace larmor {

/// One radix step over blocks of `radix * block` points.
struct FftPass {
  uint32_t radix;
  uint32_t block;
  const c32* twiddles;  // [block][radix - 1]
  const c32* roots;     // odd radices: [h][h] of cos, sin (2 pi (j+1)(k+1) / radix), h = (radix - 1) / 2
};

/// The steps of a transform, and those of the convolution that stands for it when `length` has a large prime factor.
struct FftSteps {
  size_t length;
  size_t passes;
  const FftPass* pass;
  const FftSteps* inner;  // Bluestein: a transform of inner->length >= 2 length - 1; null otherwise
  const c32* chirp;       // Bluestein: exp(-i pi j^2 / length)
  const c32* spectrum;    // Bluestein: the conjugate chirp transformed by `inner`, in slot order, over inner->length
};

}  // namespace larmor
