// Transforms of rows in shared memory, for kernels that do more with a row than transform it: Stockham's algorithm of mixed radix, whose result is
// in natural order.
//
// A stage of radix R after stages of product s takes, for every j < n / R, the elements j + r n / R, times w^(r (j mod s) n / (s R)) with
// w = exp(-2 pi i / n), transforms the R of them and puts them s apart at (j / s) s R + j mod s.
#pragma once
#include <cstdint>
#include <optional>

#include "cuda/device.h"

namespace larmor::cuda {

/// The radices of the stages of length n, the largest first.
struct RowPlan {
  static constexpr uint32_t kMostStages = 24;
  uint32_t length, stages;
  uint8_t radix[kMostStages];
};

/// Null where n has a prime factor above 7: larger radices take more registers than a thread has to spare, and are slower than cuFFT.
inline std::optional<RowPlan> row_plan(uint32_t n) {
  RowPlan plan{n, 0, {}};
  uint32_t rest = n;
  for (const uint32_t radix : {7u, 5u, 4u, 3u, 2u})
    for (; rest % radix == 0; rest /= radix) plan.radix[plan.stages++] = static_cast<uint8_t>(radix);
  return rest == 1 ? std::optional(plan) : std::nullopt;
}

/// One stage of one row. `roots` holds w^k, k < n; load(i) gives element i; put(i, value) takes element i of the result.
struct RowStage {
  uint32_t n, product;
  const float2* roots;

  /// The elements that butterfly j takes, with their twiddles.
  template <int R, class Load>
  __device__ void gather(uint32_t j, Load& load, float2 (&v)[R]) const {
    const uint32_t apart = n / R, turn = j % product * (apart / product);
    v[0] = load(j);
#pragma unroll
    for (int r = 1; r < R; ++r) v[r] = roots[r * turn] * load(j + r * apart);
  }
  template <int R>
  __device__ uint32_t target(uint32_t j) const {
    return j / product * product * R + j % product;
  }

  /// Odd R: what lies symmetrically is added and subtracted first, so that only cosines and sines remain, for two results each.
  template <int R, class Load, class Put>
  __device__ void odd(uint32_t j, Load& load, Put& put) const {
    constexpr int kHalf = (R - 1) / 2;
    float2 v[R], sums[kHalf + 1], differences[kHalf + 1];
    gather<R>(j, load, v);
    const uint32_t to = target<R>(j), apart = n / R;
    float2 total = v[0];
#pragma unroll
    for (int r = 1; r <= kHalf; ++r) {
      sums[r] = v[r] + v[R - r];
      differences[r] = v[r] - v[R - r];
      total = total + sums[r];
    }
    put(to, total);
#pragma unroll
    for (int q = 1; q <= kHalf; ++q) {
      float2 even = v[0], odd{0, 0};
#pragma unroll
      for (int r = 1; r <= kHalf; ++r) {
        const float2 root = roots[r * q % R * apart];  // the cosine, and the sine negated
        even = even + root.x * sums[r];
        odd = odd + root.y * differences[r];
      }
      put(to + q * product, float2{even.x - odd.y, even.y + odd.x});
      put(to + (R - q) * product, float2{even.x + odd.y, even.y - odd.x});
    }
  }

  template <class Load, class Put>
  __device__ void two(uint32_t j, Load& load, Put& put) const {
    float2 v[2];
    gather<2>(j, load, v);
    const uint32_t to = target<2>(j);
    put(to, v[0] + v[1]);
    put(to + product, v[0] - v[1]);
  }

  template <class Load, class Put>
  __device__ void four(uint32_t j, Load& load, Put& put) const {
    float2 v[4];
    gather<4>(j, load, v);
    const uint32_t to = target<4>(j);
    const float2 a = v[0] + v[2], b = v[0] - v[2], c = v[1] + v[3], d = v[1] - v[3];
    put(to, a + c);
    put(to + product, float2{b.x + d.y, b.y - d.x});
    put(to + 2 * product, a - c);
    put(to + 3 * product, float2{b.x - d.y, b.y + d.x});
  }

  /// Butterfly j < n / radix.
  template <class Load, class Put>
  __device__ void butterfly(uint32_t radix, uint32_t j, Load load, Put put) const {
    switch (radix) {
      case 2: return two(j, load, put);
      case 3: return odd<3>(j, load, put);
      case 4: return four(j, load, put);
      case 5: return odd<5>(j, load, put);
      case 7: return odd<7>(j, load, put);
    }
  }
};

}  // namespace larmor::cuda
