// What the passes of instance normalisation share: a block's chunk of a plane in registers, and what normalises a plane.
#pragma once
#include "cuda/context.h"
#include "cuda/device.h"
#include "cuda/network_arguments.h"

namespace larmor::cuda::norm {

constexpr uint32_t kPerThread = 16;  // values in registers: 64 bytes in flight per thread
constexpr uint32_t kChunk = kBlock * kPerThread;

/// Where the normalised value of a plane comes from; the same fields as core/kernels.h's NormPlane.
struct Plane {
  float mean, inverse_deviation, scale, bias, slope, below;
};

struct Affine {
  uint32_t channels;
  const float* scale;
  const float* bias;
  float slope;

  __device__ Plane plane(uint64_t index, float mean, float inverse_deviation) const {
    const uint32_t channel = static_cast<uint32_t>(index % channels);
    return {mean, inverse_deviation, scale == nullptr ? 1.0f : scale[channel], bias == nullptr ? 0.0f : bias[channel], slope, 1.0f};
  }
};

__device__ inline uint32_t chunk_size(uint32_t pixels, uint32_t chunk) {
  const uint32_t left = pixels - chunk * kChunk;
  return left < kChunk ? left : kChunk;
}

/// A block's chunk of a plane: the calling thread's values lie at position(i), i < kPerThread / kWidth, in vectors of kWidth.
template <uint32_t kWidth>
struct Chunk {
  uint64_t base;  // of the chunk in the array
  uint32_t count;

  __device__ Chunk(uint32_t pixels, uint64_t plane, uint32_t chunk)
      : base(plane * pixels + static_cast<uint64_t>(chunk) * kChunk), count(chunk_size(pixels, chunk)) {}
  __device__ uint32_t position(uint32_t i) const { return (i * kBlock + threadIdx.x) * kWidth; }

  __device__ void load(const float* x, float (&values)[kPerThread]) const {
#pragma unroll
    for (uint32_t i = 0; i < kPerThread / kWidth; ++i) {
      const uint32_t at = position(i);
      if constexpr (kWidth == 4) {
        const float4 v = at < count ? *reinterpret_cast<const float4*>(x + base + at) : float4{0, 0, 0, 0};
        values[4 * i] = v.x, values[4 * i + 1] = v.y, values[4 * i + 2] = v.z, values[4 * i + 3] = v.w;
      } else {
        values[i] = at < count ? x[base + at] : 0.0f;
      }
    }
  }
  __device__ void store(const float (&values)[kPerThread], float* y) const {
#pragma unroll
    for (uint32_t i = 0; i < kPerThread / kWidth; ++i) {
      const uint32_t at = position(i);
      if (at >= count) continue;
      if constexpr (kWidth == 4)
        *reinterpret_cast<float4*>(y + base + at) = float4{values[4 * i], values[4 * i + 1], values[4 * i + 2], values[4 * i + 3]};
      else
        y[base + at] = values[i];
    }
  }
  /// Whether values[i] is one of the chunk's.
  __device__ bool holds(uint32_t i) const { return position(i / kWidth) < count; }
};

/// The grid of chunks over planes.
inline dim3 grid_of(const LarmorCudaNorm& norm) {
  const uint64_t planes = static_cast<uint64_t>(norm.n) * norm.channels, chunks = (static_cast<uint64_t>(norm.pixels) + kChunk - 1) / kChunk;
  return dim3(grid_size(planes, kMaxGridX, "n * channels"), grid_size(chunks, kMaxGridY, "pixels", kChunk));
}

inline void check_norm(const LarmorCudaNorm* norm) {
  require(norm != nullptr, "norm must not be null");
  require_sizes({{"norm.n", norm->n}, {"norm.channels", norm->channels}, {"norm.pixels", norm->pixels}});
  require((norm->device_scale == nullptr) == (norm->device_bias == nullptr),
          "norm.device_scale and norm.device_bias must both be null or both be given");
}

/// Whether planes of these arrays can be read four values at a time.
template <class... Arrays>
bool in_fours(const LarmorCudaNorm& norm, Arrays... arrays) {
  return norm.pixels % 4 == 0 && (aligned_to(16, arrays) && ...);
}

}  // namespace larmor::cuda::norm
