// 3x3 convolution, directly: a block makes a tile of pixels of some output channels from input channels that pass through shared memory in
// chunks; a thread keeps 4 pixels of 8 channels in registers. Single precision throughout, no tensor cores.
#include "cuda/channels.h"
#include "cuda/context.h"
#include "cuda/device.h"
#include "cuda/entries.h"

namespace larmor::cuda {
namespace {

constexpr uint32_t kThreadChannels = 8, kThreadPixels = 4;
constexpr uint32_t kTileColumns = 32;                     // 8 lanes of 4 pixels; the other lanes of a warp are 4 rows
constexpr uint32_t kInputColumns = kTileColumns + 2;      // with the pixel on either side
constexpr uint32_t kInputPitch = kTileColumns + 4;        // keeps rows aligned to four values and in different banks

struct Conv {
  uint32_t ci, co, height, width;
  bool transposed;  // weights are [ci, co, 3, 3], reversed
  bool in_fours;    // rows of the result can be written four values at a time
  uint32_t tiles_x = 0, tiles_y = 0, channel_tiles = 0;

  __device__ uint64_t pixels() const { return static_cast<uint64_t>(height) * width; }
};

/// Which of the 8 warps do what: kGroups of them different output channels, the others different rows of pixels.
template <uint32_t kGroups>
struct Tile {
  static constexpr uint32_t kRows = 4 * (8 / kGroups), kChannels = kThreadChannels * kGroups;
  static constexpr uint32_t kInputRows = kRows + 2, kInputs = kGroups == 1 ? 4 : 8;  // input channels at a time: below 32 KiB
  static constexpr uint32_t kWeightPitch = kChannels + 4;

  alignas(16) float input[kInputs][kInputRows][kInputPitch];
  alignas(16) float weights[kInputs][9][kWeightPitch];

  __device__ void load_input(const Conv& conv, const Channels<const float>& x, uint64_t image, uint32_t channel, uint32_t row, uint32_t column) {
    constexpr uint32_t kPlane = kInputRows * kInputColumns;
    for (uint32_t i = threadIdx.x; i < kInputs * kPlane; i += kBlock) {
      const uint32_t c = i / kPlane, r = i % kPlane / kInputColumns, k = i % kInputColumns;
      const uint32_t from_row = row + r - 1, from_column = column + k - 1;  // before the first wraps round to beyond the last
      float value = 0;
      if (channel + c < conv.ci && from_row < conv.height && from_column < conv.width)
        value = x.plane(image, channel + c, conv.pixels())[static_cast<uint64_t>(from_row) * conv.width + from_column];
      input[c][r][k] = value;
    }
  }
  __device__ void load_weights(const Conv& conv, const float* from, uint32_t channel, uint32_t out) {
    for (uint32_t i = threadIdx.x; i < kChannels * kInputs * 9; i += kBlock) {
      const uint32_t o = i / (kInputs * 9), c = i % (kInputs * 9) / 9, tap = i % 9;
      float value = 0;
      if (channel + c < conv.ci && out + o < conv.co) {
        const uint64_t in_channel = channel + c, out_channel = out + o;
        value = conv.transposed ? from[(in_channel * conv.co + out_channel) * 9 + 8 - tap] : from[(out_channel * conv.ci + in_channel) * 9 + tap];
      }
      weights[c][tap][o] = value;
    }
  }
};

__device__ inline void load_four(const float* from, float* to) {
  const float4 v = *reinterpret_cast<const float4*>(from);
  to[0] = v.x, to[1] = v.y, to[2] = v.z, to[3] = v.w;
}

/// sums += the products of one input channel: `input` points at the row above and the column before the thread's first pixel.
template <uint32_t kGroups>
__device__ void add_channel(const float* input, const float* weights, float (&sums)[kThreadChannels][kThreadPixels]) {
#pragma unroll
  for (uint32_t ky = 0; ky < 3; ++ky) {
    float x[kThreadPixels + 2];
    load_four(input + ky * kInputPitch, x);
    const float2 last = *reinterpret_cast<const float2*>(input + ky * kInputPitch + 4);
    x[4] = last.x, x[5] = last.y;
#pragma unroll
    for (uint32_t kx = 0; kx < 3; ++kx) {
      float w[kThreadChannels];
      load_four(weights + (3 * ky + kx) * Tile<kGroups>::kWeightPitch, w);
      load_four(weights + (3 * ky + kx) * Tile<kGroups>::kWeightPitch + 4, w + 4);
#pragma unroll
      for (uint32_t o = 0; o < kThreadChannels; ++o)
#pragma unroll
        for (uint32_t p = 0; p < kThreadPixels; ++p) sums[o][p] += w[o] * x[p + kx];
    }
  }
}

template <uint32_t kGroups>
__global__ void __launch_bounds__(kBlock, 2) conv3x3_kernel(Conv conv, Channels<const float> x, const float* weights, Channels<float> y) {
  __shared__ Tile<kGroups> tile;
  uint32_t block = blockIdx.x;  // the channel tiles of the same pixels side by side, so that they share the cache
  const uint32_t out = block % conv.channel_tiles * Tile<kGroups>::kChannels;
  block /= conv.channel_tiles;
  const uint32_t column = block % conv.tiles_x * kTileColumns;
  block /= conv.tiles_x;
  const uint32_t row = block % conv.tiles_y * Tile<kGroups>::kRows;
  const uint64_t image = block / conv.tiles_y;

  const uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const uint32_t group = warp % kGroups * kThreadChannels, tile_row = warp / kGroups * 4 + lane / 8, tile_column = lane % 8 * kThreadPixels;
  float sums[kThreadChannels][kThreadPixels] = {};
  for (uint32_t channel = 0; channel < conv.ci; channel += Tile<kGroups>::kInputs) {
    __syncthreads();  // the chunk before is read no more
    tile.load_input(conv, x, image, channel, row, column);
    tile.load_weights(conv, weights, channel, out);
    __syncthreads();
    if (out + group >= conv.co) continue;
    const uint32_t left = conv.ci - channel, inputs = left < Tile<kGroups>::kInputs ? left : Tile<kGroups>::kInputs;
    for (uint32_t c = 0; c < inputs; ++c) add_channel<kGroups>(&tile.input[c][tile_row][tile_column], &tile.weights[c][0][group], sums);
  }

  const uint32_t to_row = row + tile_row, to_column = column + tile_column;
  if (to_row >= conv.height) return;
#pragma unroll
  for (uint32_t o = 0; o < kThreadChannels; ++o) {
    if (out + group + o >= conv.co) continue;
    float* const to = y.plane(image, out + group + o, conv.pixels()) + static_cast<uint64_t>(to_row) * conv.width + to_column;
    if (conv.in_fours && to_column < conv.width) {
      *reinterpret_cast<float4*>(to) = float4{sums[o][0], sums[o][1], sums[o][2], sums[o][3]};
      continue;
    }
#pragma unroll
    for (uint32_t p = 0; p < kThreadPixels; ++p)
      if (to_column + p < conv.width) to[p] = sums[o][p];
  }
}

template <uint32_t kGroups>
void run(Context& context, uint32_t n, Conv conv, const Channels<const float>& x, const float* weights, const Channels<float>& y) {
  conv.tiles_x = (conv.width - 1) / kTileColumns + 1;
  conv.tiles_y = (conv.height - 1) / Tile<kGroups>::kRows + 1;
  conv.channel_tiles = (conv.co - 1) / Tile<kGroups>::kChannels + 1;
  const uint64_t blocks = product({{"n", n}, {"width", conv.tiles_x}, {"height", conv.tiles_y}, {"co", conv.channel_tiles}});
  launch("conv3x3", conv3x3_kernel<kGroups>, dim3(grid_size(blocks, kMaxGridX, "n * height * width * co in tiles")), dim3(kBlock), 0,
         context.stream(), conv, x, weights, y);
}

}  // namespace

LarmorCudaStatus conv3x3(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width, uint32_t split,
                         int32_t transposed, const float* device_x, const float* device_beside, const float* device_weights, uint32_t split_out,
                         float* device_y, float* device_y_beside) {
  return on_context("conv3x3", context, [&](Context& c) {
    require_sizes({{"n", n}, {"ci", ci}, {"co", co}, {"height", height}, {"width", width}});
    product({{"n", n}, {"ci", ci}, {"height", height}, {"width", width}});
    product({{"n", n}, {"co", co}, {"height", height}, {"width", width}});
    require_arrays({{"device_x", device_x}, {"device_weights", device_weights}, {"device_y", device_y}});
    const Channels<const float> x = channels_of(ci, split, device_x, device_beside, "split");
    const Channels<float> y = channels_of(co, split_out, device_y, device_y_beside, "split_out");
    const Conv conv{.ci = ci,
                    .co = co,
                    .height = height,
                    .width = width,
                    .transposed = transposed != 0,
                    .in_fours = width % 4 == 0 && aligned_to(16, device_y) && aligned_to(16, device_y_beside)};
    const auto convolve = co <= 8 ? run<1> : co <= 16 ? run<2> : run<4>;
    convolve(c, n, conv, x, device_weights, y);
  });
}

}  // namespace larmor::cuda
