// The complex sample type shared by every kernel: interleaved re, im, as in a Float32Array.
#pragma once
#include <cstddef>

namespace larmor {

struct c32 {
  float re, im;
};

struct c64 {
  double re, im;
};

}  // namespace larmor
