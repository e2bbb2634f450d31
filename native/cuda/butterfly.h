// Transforms of a few points in registers, with their roots of unity as constants of the program.
//
// A Butterfly<R> transforms v (which it may change) forward, without scale, and calls emit(k, value) for every k < R once its results are known:
// whoever stores them at once needs no registers for the others.
#pragma once
#include <numbers>

#include "cuda/device.h"

namespace larmor::cuda {

/// exp(-2 pi i k / N), k < N, by their Taylor series, so that a compiler can sum them.
template <int N>
struct Roots {
  float re[N], im[N];

  __host__ __device__ constexpr Roots() : re{}, im{} {
    for (int k = 0; k < N; ++k) {
      // Of the angle nearest to 0, where the series has lost nothing.
      const double angle = -2 * std::numbers::pi * (2 * k > N ? k - N : k) / N;
      double cosine = 0, sine = 0, term = 1;
      for (int i = 1; i < 40; term *= angle / i, ++i) {
        const double sign = (i - 1) % 4 < 2 ? 1 : -1;
        (i % 2 == 1 ? cosine : sine) += sign * term;
      }
      re[k] = static_cast<float>(cosine);
      im[k] = static_cast<float>(sine);
    }
  }
};

/// Odd R: what lies symmetrically is added and subtracted first, so that only cosines and sines remain, for two results each.
template <int R>
struct Butterfly {
  static_assert(R % 2 == 1);
  template <class Emit>
  __device__ static void run(float2 (&v)[R], Emit&& emit) {
    constexpr int kHalf = (R - 1) / 2;
    constexpr Roots<R> roots;
    float2 total = v[0];
#pragma unroll
    for (int r = 1; r <= kHalf; ++r) {
      const float2 sum = v[r] + v[R - r];
      v[R - r] = v[r] - v[R - r];
      v[r] = sum;
      total = total + sum;
    }
    emit(0, total);
#pragma unroll
    for (int k = 1; k <= kHalf; ++k) {
      float2 even = v[0], odd{0, 0};
#pragma unroll
      for (int r = 1; r <= kHalf; ++r) {
        even = even + roots.re[r * k % R] * v[r];
        odd = odd + roots.im[r * k % R] * v[R - r];
      }
      emit(k, float2{even.x - odd.y, even.y + odd.x});
      emit(R - k, float2{even.x + odd.y, even.y - odd.x});
    }
  }
};

template <>
struct Butterfly<2> {
  template <class Emit>
  __device__ static void run(float2 (&v)[2], Emit&& emit) {
    emit(0, v[0] + v[1]);
    emit(1, v[0] - v[1]);
  }
};

template <>
struct Butterfly<4> {
  template <class Emit>
  __device__ static void run(float2 (&v)[4], Emit&& emit) {
    const float2 a = v[0] + v[2], b = v[0] - v[2], c = v[1] + v[3], d = v[1] - v[3];
    emit(0, a + c);
    emit(1, float2{b.x + d.y, b.y - d.x});
    emit(2, a - c);
    emit(3, float2{b.x - d.y, b.y + d.x});
  }
};

/// value times exp(-2 pi i k / N); the quarters of a turn cost nothing.
template <int N>
__device__ float2 turned(float2 value, int k) {
  constexpr Roots<N> roots;
  if (k == 0) return value;
  if (4 * k == N) return {value.y, -value.x};
  if (2 * k == N) return {-value.x, -value.y};
  return float2{roots.re[k], roots.im[k]} * value;
}

/// A * 4 points: A transforms of 4 points, turned, then 4 of A points.
template <int A>
struct FourStep {
  static constexpr int kPoints = 4 * A;
  template <class Emit>
  __device__ static void run(float2 (&v)[kPoints], Emit&& emit) {
#pragma unroll
    for (int a = 0; a < A; ++a) {
      float2 column[4] = {v[a], v[a + A], v[a + 2 * A], v[a + 3 * A]};
      Butterfly<4>::run(column, [&](int k, float2 value) { v[a + A * k] = turned<kPoints>(value, a * k); });
    }
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      float2 row[A];
#pragma unroll
      for (int a = 0; a < A; ++a) row[a] = v[a + A * k];
      Butterfly<A>::run(row, [&](int q, float2 value) { emit(k + 4 * q, value); });
    }
  }
};
template <>
struct Butterfly<8> : FourStep<2> {};
template <>
struct Butterfly<16> : FourStep<4> {};

}  // namespace larmor::cuda
