// The kernel bodies of one instruction set. Included once per translation unit with LARMOR_KERNELS naming the table and
// LARMOR_LANES the floats in a vector register. No std templates here: an inline function built for AVX must not become the
// linker's shared copy, so everything lives in an unnamed namespace.
#include "core/kernels.h"

namespace larmor {
namespace {

constexpr size_t kLanes = LARMOR_LANES;

#include "core/data_consistency.inl"

}  // namespace

const Kernels LARMOR_KERNELS = {
    .name = LARMOR_NAME,
    .masked_residual = masked_residual,
};

}  // namespace larmor
