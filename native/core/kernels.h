// The kernel table: one record of function pointers per instruction set, chosen once per process.
#pragma once
#include <cstddef>

#include "core/complex.h"

namespace larmor {

/// Inner loops that profit from wide instructions. Arguments run sizes, inputs, outputs; outputs never alias inputs unless said.
/// Each is compiled per instruction set from the *.inl files that kernels.inl lists.
struct Kernels {
  const char* name;  // "baseline", "avx2", "avx512"

  /// r = m * (k - y) for `coils` blocks of n samples; m holds n weights shared by the coils. r may be k.
  void (*masked_residual)(size_t coils, size_t n, const float* m, const c32* k, const c32* y, c32* r);
};

extern const Kernels kernels_baseline, kernels_avx2, kernels_avx512;

/// The widest table this processor runs, capped by the environment variable LARMOR_ISA (baseline | avx2 | avx512).
const Kernels& kernels();

}  // namespace larmor
