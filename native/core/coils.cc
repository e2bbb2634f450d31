// Plain loops over blocks of points: these products are bound by memory.
#include "core/coils.h"

#include <algorithm>

namespace larmor {
namespace {

constexpr size_t kBlock = 4096;  // points of one task: the sums of a block stay in the first-level cache

template <class F>
void over_blocks(const Parallel& parallel, size_t points, F&& body) {
  parallel((points + kBlock - 1) / kBlock, [&](size_t block) { body(block * kBlock, std::min(points, (block + 1) * kBlock)); });
}

}  // namespace

void multiply_maps(const Parallel& parallel, size_t sets, size_t coils, size_t points, const c32* maps, const c32* x, c32* out) {
  over_blocks(parallel, points, [&](size_t begin, size_t end) {
    for (size_t coil = 0; coil < coils; ++coil) {
      c32* const to = out + coil * points;
      std::fill(to + begin, to + end, c32{0, 0});
      for (size_t set = 0; set < sets; ++set) {
        const c32 *const s = maps + (set * coils + coil) * points, *const v = x + set * points;
        for (size_t i = begin; i < end; ++i) {
          to[i].re += s[i].re * v[i].re - s[i].im * v[i].im;
          to[i].im += s[i].re * v[i].im + s[i].im * v[i].re;
        }
      }
    }
  });
}

void combine_coils(const Parallel& parallel, size_t sets, size_t coils, size_t points, const c32* maps, const c32* y, c32* out) {
  over_blocks(parallel, points, [&](size_t begin, size_t end) {
    for (size_t set = 0; set < sets; ++set) {
      c32* const to = out + set * points;
      std::fill(to + begin, to + end, c32{0, 0});
      for (size_t coil = 0; coil < coils; ++coil) {
        const c32 *const s = maps + (set * coils + coil) * points, *const v = y + coil * points;
        for (size_t i = begin; i < end; ++i) {
          to[i].re += s[i].re * v[i].re + s[i].im * v[i].im;
          to[i].im += s[i].re * v[i].im - s[i].im * v[i].re;
        }
      }
    }
  });
}

void apply_mask(const Parallel& parallel, size_t coils, size_t points, const float* mask, const c32* y, c32* out) {
  over_blocks(parallel, points, [&](size_t begin, size_t end) {
    for (size_t coil = 0; coil < coils; ++coil)
      for (size_t i = begin; i < end; ++i) {
        const c32& value = y[coil * points + i];
        out[coil * points + i] = mask[i] == 0 ? c32{0, 0} : c32{mask[i] * value.re, mask[i] * value.im};
      }
  });
}

}  // namespace larmor
