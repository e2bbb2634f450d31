// Picks the kernel table once per process.
#include <cstdlib>
#include <cstring>

#include "core/kernels.h"

namespace larmor {
namespace {

const Kernels& choose() {
  const char* const cap = std::getenv("LARMOR_ISA");
  const auto allowed = [&](const char* name) {
    if (cap == nullptr) return true;
    if (std::strcmp(cap, "baseline") == 0) return false;
    return std::strcmp(cap, "avx512") == 0 || std::strcmp(cap, name) == 0;
  };
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  if (avx512 && allowed("avx512")) return kernels_avx512;
  if (avx2 && allowed("avx2")) return kernels_avx2;
#endif
  return kernels_baseline;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& table = choose();
  return table;
}

}  // namespace larmor
