// One pixel's eigenproblem of ESPIRiT in shared memory: orthogonal iteration by a few lanes of a warp.
#pragma once
#include "cuda/device.h"

namespace larmor::cuda::espirit {

constexpr float kPerturbation = 1e-3f;  // of the start, as core/espirit.cc's

/// A Hermitian matrix is a square of floats: entry (c, d < c) has its real part at [d][c] and its imaginary part at [c][d].
struct Problem {
  uint32_t coils, sets, points, iterations, ny, nx;
  float tolerance;

  __host__ __device__ uint32_t cells() const { return coils * coils; }
  /// Rows of a matrix are an odd number of floats apart, so that a column's entries lie in different banks.
  __host__ __device__ uint32_t pitch() const { return coils | 1; }
  /// Floats of shared memory of one pixel: matrix, one vector per set, a product, and the values; pairs of floats are aligned.
  __host__ __device__ uint32_t vectors_at() const { return (coils * pitch() + 1) / 2 * 2; }
  __host__ __device__ uint32_t floats() const { return vectors_at() + (sets + 1) * 2 * coils + (sets + 1) / 2 * 2; }
};

/// The sum over kLanes neighbouring lanes, the same bits in all of them.
template <uint32_t kLanes>
__device__ float lanes_sum(float value) {
#pragma unroll
  for (uint32_t step = kLanes / 2; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, static_cast<int>(step));
  return value;
}

/// One pixel's eigenproblem in shared memory, as one of its kLanes lanes sees it: it owns the coils lane, lane + kLanes, ...
template <uint32_t kLanes>
struct Pixel {
  const Problem& p;
  uint32_t lane;
  float* matrix;

  __device__ float2* vector(uint32_t set) const { return reinterpret_cast<float2*>(matrix + p.vectors_at()) + set * p.coils; }
  __device__ float* values() const { return matrix + p.vectors_at() + (p.sets + 1) * 2 * p.coils; }

  __device__ void start(uint32_t set) const {
    for (uint32_t c = lane; c < p.coils; c += kLanes) {
      const float angle = 2.4f * static_cast<float>(c * c);
      vector(set)[c] = {(c == set ? 1.0f : 0.0f) + kPerturbation * cosf(angle), kPerturbation * sinf(angle)};
    }
  }

  /// w = M v of the lane's coils.
  __device__ void multiply(const float2* v, float2* w) const {
    for (uint32_t c = lane; c < p.coils; c += kLanes) {
      float2 sum{0, 0};
      for (uint32_t d = 0; d < p.coils; ++d) {
        const float column = matrix[d * p.pitch() + c], row = matrix[c * p.pitch() + d];
        const float re = d < c ? column : row, im = d == c ? 0.0f : d < c ? row : -column;
        const float2 x = v[d];
        sum.x += re * x.x - im * x.y;
        sum.y += re * x.y + im * x.x;
      }
      w[c] = sum;
    }
  }

  /// w -= u (u^H w) / (u^H u)
  __device__ void deflate(const float2* u, float2* w) const {
    float uu = 0, re = 0, im = 0;
    for (uint32_t c = lane; c < p.coils; c += kLanes) {
      uu += u[c].x * u[c].x + u[c].y * u[c].y;
      re += u[c].x * w[c].x + u[c].y * w[c].y;
      im += u[c].x * w[c].y - u[c].y * w[c].x;
    }
    uu = lanes_sum<kLanes>(uu);
    if (!(uu > 0)) uu = 1;
    const float2 share{lanes_sum<kLanes>(re) / uu, lanes_sum<kLanes>(im) / uu};
    for (uint32_t c = lane; c < p.coils; c += kLanes) w[c] = w[c] - u[c] * share;
  }

  /// One step of a set; returns whether the vector still moves. Dividing by the Rayleigh quotient keeps its length without a square root;
  /// where that vanishes there is nothing to follow.
  __device__ bool step(uint32_t set) const {
    float2 *const v = vector(set), *const w = vector(p.sets);
    multiply(v, w);
    for (uint32_t before = 0; before < set; ++before) deflate(vector(before), w);
    float uu = 0, uw = 0;
    for (uint32_t c = lane; c < p.coils; c += kLanes) {
      uu += v[c].x * v[c].x + v[c].y * v[c].y;
      uw += v[c].x * w[c].x + v[c].y * w[c].y;
    }
    uu = lanes_sum<kLanes>(uu);
    uw = lanes_sum<kLanes>(uw);
    const float value = uu > 0 ? uw / uu : 0.0f, scale = value > 1e-20f ? 1 / value : 0.0f;
    float residual = 0;
    __syncwarp();  // every lane has read v
    for (uint32_t c = lane; c < p.coils; c += kLanes) {
      const float2 next = scale * w[c], moved = next - v[c];
      residual += moved.x * moved.x + moved.y * moved.y;
      if (scale > 0) v[c] = next;
    }
    if (lane == 0) values()[set] = value;
    __syncwarp();
    return lanes_sum<kLanes>(residual) > p.tolerance * p.tolerance * uu && scale > 0;
  }

  /// Makes a vector one of unit norm, in phase with the principal component.
  __device__ void normalise(uint32_t set, const float2* principal) const {
    float2* const v = vector(set);
    float energy = 0, re = 0, im = 0;
    for (uint32_t c = lane; c < p.coils; c += kLanes) {
      const float2 u = principal[c];
      energy += v[c].x * v[c].x + v[c].y * v[c].y;
      re += u.x * v[c].x + u.y * v[c].y;
      im += u.x * v[c].y - u.y * v[c].x;
    }
    const float norm = sqrtf(lanes_sum<kLanes>(energy));
    re = lanes_sum<kLanes>(re);
    im = lanes_sum<kLanes>(im);
    const float size = sqrtf(re * re + im * im);
    float2 factor{0, 0};
    if (norm > 0) factor = size > 0 ? float2{re / (size * norm), -im / (size * norm)} : float2{1 / norm, 0};
    for (uint32_t c = lane; c < p.coils; c += kLanes) v[c] = factor * v[c];
  }

  /// The set's place by descending value.
  __device__ uint32_t rank(uint32_t set) const {
    uint32_t place = 0;
    for (uint32_t other = 0; other < p.sets; ++other) place += values()[other] > values()[set] || (values()[other] == values()[set] && other < set);
    return place;
  }
};

}  // namespace larmor::cuda::espirit
