// Transposed 2x2 convolution of stride 2 and its input gradient. Both are products of a small matrix with the pixels: every channel of the
// larger image counts as four rows, its taps.
#include "cuda/context.h"
#include "cuda/device.h"
#include "cuda/entries.h"
#include "cuda/network_arguments.h"

namespace larmor::cuda {
namespace {

constexpr uint32_t kPixels = 128, kThreadPixels = 4;            // of a block; a thread's lie 32 apart, so that warps write whole lines
constexpr uint32_t kThreadRows = 8, kRows = kThreadRows * 8;    // of the result: 8 warps take different ones
constexpr uint32_t kInputs = 16;                                // rows of the factor at a time

/// `small` images have `channels` planes of [height, width], `large` ones `taps` / 4 planes of twice the size.
struct Problem {
  uint32_t channels, taps;
  uint64_t pixels;
  uint32_t width;
  bool in_pairs;  // a pixel's two values in a row of the large image can be written at once
  uint64_t pixel_tiles = 0;
  uint32_t row_tiles = 0;

  /// Where tap 0 of a pixel lies in its large plane, and how far the others are.
  __device__ uint64_t corner(uint64_t pixel) const { return pixel / width * 4 * width + pixel % width * 2; }
  __device__ uint64_t offset(uint32_t tap) const { return static_cast<uint64_t>(tap / 2 % 2) * 2 * width + tap % 2; }
  __device__ uint64_t plane(uint64_t image, uint32_t tap) const { return (image * (taps / 4) + tap / 4) * 4 * pixels; }
};

/// kForward: large[tap] = sum over channels of weights[channel, tap] small[channel], else small[channel] = sum over taps of
/// weights[channel, tap] large[tap].
template <bool kForward>
__global__ void __launch_bounds__(kBlock) conv_transpose2x2_kernel(Problem p, const float* from, const float* weights, float* to) {
  __shared__ float input[kInputs][kPixels];
  alignas(16) __shared__ float factors[kInputs][kRows + 4];
  const uint32_t rows = kForward ? p.taps : p.channels, inputs = kForward ? p.channels : p.taps;
  const uint32_t row_tile = blockIdx.x % p.row_tiles * kRows;
  const uint64_t tile = blockIdx.x / p.row_tiles, image = tile / p.pixel_tiles, pixel = tile % p.pixel_tiles * kPixels;
  const uint32_t lane = threadIdx.x % 32, row = threadIdx.x / 32 * kThreadRows;
  const uint64_t load_pixel = pixel + threadIdx.x % kPixels;
  const bool load_inside = load_pixel < p.pixels;
  const uint64_t load_corner = kForward ? load_pixel : p.corner(load_pixel);

  float sums[kThreadRows][kThreadPixels] = {};
  for (uint32_t first = 0; first < inputs; first += kInputs) {
    __syncthreads();  // the inputs before are read no more
    for (uint32_t i = threadIdx.x / kPixels; i < kInputs; i += kBlock / kPixels) {
      float value = 0;
      if (load_inside && first + i < inputs)
        value = from[load_corner + (kForward ? (image * p.channels + first + i) * p.pixels : p.plane(image, first + i) + p.offset(first + i))];
      input[i][threadIdx.x % kPixels] = value;
    }
    for (uint32_t i = threadIdx.x; i < kInputs * kRows; i += kBlock) {  // neighbouring threads read along the taps
      const uint32_t k = kForward ? i / kRows : i % kInputs, r = kForward ? i % kRows : i / kInputs;
      float value = 0;
      const uint64_t channel = kForward ? first + k : row_tile + r, tap = kForward ? row_tile + r : first + k;
      if (channel < p.channels && tap < p.taps) value = weights[channel * p.taps + tap];
      factors[k][r] = value;
    }
    __syncthreads();
    if (row_tile + row >= rows) continue;
#pragma unroll 4
    for (uint32_t k = 0; k < kInputs; ++k) {
      float x[kThreadPixels];
#pragma unroll
      for (uint32_t j = 0; j < kThreadPixels; ++j) x[j] = input[k][lane + 32 * j];
#pragma unroll
      for (uint32_t r = 0; r < kThreadRows; r += 4) {
        const float4 w = *reinterpret_cast<const float4*>(&factors[k][row + r]);
#pragma unroll
        for (uint32_t j = 0; j < kThreadPixels; ++j) {
          sums[r][j] += w.x * x[j];
          sums[r + 1][j] += w.y * x[j];
          sums[r + 2][j] += w.z * x[j];
          sums[r + 3][j] += w.w * x[j];
        }
      }
    }
  }

#pragma unroll
  for (uint32_t j = 0; j < kThreadPixels; ++j) {
    const uint64_t at = pixel + lane + 32 * j;
    if (at >= p.pixels) continue;
    const uint64_t corner = kForward ? p.corner(at) : 0;
#pragma unroll
    for (uint32_t r = 0; r < kThreadRows; r += 2) {
      const uint32_t result = row_tile + row + r;
      if (result >= rows) continue;
      if constexpr (kForward) {
        float* const pair = to + p.plane(image, result) + corner + p.offset(result);
        if (p.in_pairs) {
          *reinterpret_cast<float2*>(pair) = float2{sums[r][j], sums[r + 1][j]};
        } else {
          pair[0] = sums[r][j];
          pair[1] = sums[r + 1][j];
        }
      } else {
        to[(image * p.channels + result) * p.pixels + at] = sums[r][j];
        if (result + 1 < rows) to[(image * p.channels + result + 1) * p.pixels + at] = sums[r + 1][j];
      }
    }
  }
}

template <bool kForward>
LarmorCudaStatus run(const char* name, LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width,
                     NamedArray from, const float* weights, NamedArray to) {
  return on_context(name, context, [&](Context& c) {
    require_sizes({{"n", n}, {"ci", ci}, {"co", co}, {"height", height}, {"width", width}});
    product({{"n", n}, {"ci", ci}, {"height", height}, {"width", width}});
    product({{"n", n}, {"co", co}, {"taps", 4}, {"height", height}, {"width", width}});
    require(co <= UINT32_MAX / 4, "co must be at most ", UINT32_MAX / 4, ", got ", co);
    require_arrays({from, {"device_weights", weights}, to});
    Problem p{.channels = ci, .taps = 4 * co, .pixels = static_cast<uint64_t>(height) * width, .width = width, .in_pairs = aligned_to(8, to.array)};
    p.pixel_tiles = (p.pixels - 1) / kPixels + 1;
    p.row_tiles = ((kForward ? p.taps : p.channels) - 1) / kRows + 1;
    const uint64_t blocks = product({{"n", n}, {"pixels", p.pixel_tiles}, {"channels", p.row_tiles}});
    launch(name, conv_transpose2x2_kernel<kForward>, dim3(grid_size(blocks, kMaxGridX, "n * height * width * channels in tiles")), dim3(kBlock), 0,
           c.stream(), p, static_cast<const float*>(from.array), weights, static_cast<float*>(const_cast<void*>(to.array)));
  });
}

}  // namespace

LarmorCudaStatus conv_transpose2x2(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width,
                                   const float* device_x, const float* device_weights, float* device_y) {
  return run<true>("conv_transpose2x2", context, n, ci, co, height, width, {"device_x", device_x}, device_weights, {"device_y", device_y});
}

LarmorCudaStatus conv_transpose2x2_input_gradient(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width,
                                                  const float* device_dy, const float* device_weights, float* device_dx) {
  return run<false>("conv_transpose2x2_input_gradient", context, n, ci, co, height, width, {"device_dy", device_dy}, device_weights,
                    {"device_dx", device_dx});
}

}  // namespace larmor::cuda
