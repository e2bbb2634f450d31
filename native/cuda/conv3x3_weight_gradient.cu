// Weight gradient of the 3x3 convolution: a block makes all taps of 32 x 8 pairs of channels over a share of the pixels, its warps different
// rows of them; the shares are added in order by a second kernel, so that results do not vary from run to run.
#include "cuda/channels.h"
#include "cuda/context.h"
#include "cuda/device.h"
#include "cuda/entries.h"
#include "cuda/weight_sums.h"

namespace larmor::cuda {
namespace {

constexpr uint32_t kOut = 32, kIn = 8;                  // channel pairs of a block
constexpr uint32_t kThreadOut = 4, kThreadIn = 2;       // of a thread: 8 x 4 lanes cover the block's
constexpr uint32_t kRows = 8, kColumns = 16;            // pixels at a time; a warp takes one row
constexpr uint32_t kOutPitch = kOut + 4;                // aligned to four values, columns in different banks

struct Problem {
  uint32_t ci, co, height, width;
  uint32_t tiles_x, tiles_y;
  uint64_t tiles = 0;  // of all images
  uint32_t in_tiles = 0, out_tiles = 0, shares = 0;
};

struct Tile {
  alignas(16) float dy[kRows][kColumns][kOutPitch];
  alignas(16) float x[kRows + 2][kColumns + 2][kIn];

  __device__ void load(const Problem& p, const Channels<const float>& from_x, const float* from_dy, uint64_t tile, uint32_t in, uint32_t out) {
    const uint64_t pixels = static_cast<uint64_t>(p.height) * p.width, image = tile / (static_cast<uint64_t>(p.tiles_x) * p.tiles_y);
    const uint32_t rest = static_cast<uint32_t>(tile % (static_cast<uint64_t>(p.tiles_x) * p.tiles_y));
    const uint32_t row = rest / p.tiles_x * kRows, column = rest % p.tiles_x * kColumns;
    for (uint32_t i = threadIdx.x; i < kOut * kRows * kColumns; i += kBlock) {
      const uint32_t c = i / (kRows * kColumns), r = i % (kRows * kColumns) / kColumns, k = i % kColumns;
      const bool inside = out + c < p.co && row + r < p.height && column + k < p.width;
      dy[r][k][c] = inside ? from_dy[(image * p.co + out + c) * pixels + static_cast<uint64_t>(row + r) * p.width + column + k] : 0.0f;
    }
    constexpr uint32_t kPlane = (kRows + 2) * (kColumns + 2);
    for (uint32_t i = threadIdx.x; i < kIn * kPlane; i += kBlock) {
      const uint32_t c = i / kPlane, r = i % kPlane / (kColumns + 2), k = i % (kColumns + 2);
      const uint32_t from_row = row + r - 1, from_column = column + k - 1;  // before the first wraps round to beyond the last
      const bool inside = in + c < p.ci && from_row < p.height && from_column < p.width;
      x[r][k][c] = inside ? from_x.plane(image, in + c, pixels)[static_cast<uint64_t>(from_row) * p.width + from_column] : 0.0f;
    }
  }
};

using Sums = float[kThreadOut][kThreadIn][9];

/// sums += the products of one row of a tile; a window of three columns of x slides along it.
__device__ void add_row(const Tile& tile, uint32_t row, uint32_t out, uint32_t in, Sums& sums) {
  float2 window[3][3];  // [ky][column modulo 3]
#pragma unroll
  for (uint32_t ky = 0; ky < 3; ++ky)
#pragma unroll
    for (uint32_t k = 0; k < 2; ++k) window[ky][k] = *reinterpret_cast<const float2*>(&tile.x[row + ky][k][in]);
#pragma unroll
  for (uint32_t k = 0; k < kColumns; ++k) {
#pragma unroll
    for (uint32_t ky = 0; ky < 3; ++ky) window[ky][(k + 2) % 3] = *reinterpret_cast<const float2*>(&tile.x[row + ky][k + 2][in]);
    const float4 v = *reinterpret_cast<const float4*>(&tile.dy[row][k][out]);
    const float dy[kThreadOut] = {v.x, v.y, v.z, v.w};
#pragma unroll
    for (uint32_t o = 0; o < kThreadOut; ++o)
#pragma unroll
      for (uint32_t tap = 0; tap < 9; ++tap) {
        sums[o][0][tap] += dy[o] * window[tap / 3][(k + tap % 3) % 3].x;
        sums[o][1][tap] += dy[o] * window[tap / 3][(k + tap % 3) % 3].y;
      }
  }
}

/// partials [share, co, ci, 9].
__global__ void __launch_bounds__(kBlock, 2) conv3x3_weight_gradient_kernel(Problem p, Channels<const float> x, const float* dy, float* partials) {
  __shared__ Tile tile;
  uint32_t block = blockIdx.x;
  const uint32_t in_tile = block % p.in_tiles * kIn;
  block /= p.in_tiles;
  const uint32_t out_tile = block % p.out_tiles * kOut, share = block / p.out_tiles;
  const uint32_t lane = threadIdx.x % 32, warp = threadIdx.x / 32, out = lane % 8 * kThreadOut, in = lane / 8 * kThreadIn;

  Sums sums = {};
  const Share range(p.tiles, share, p.shares);
  for (uint64_t t = range.begin; t < range.end; ++t) {
    __syncthreads();  // the tile before is read no more
    tile.load(p, x, dy, t, in_tile, out_tile);
    __syncthreads();
    add_row(tile, warp, out, in, sums);
  }

  static_assert(kOut * kIn * 9 <= kRows * kColumns * kOutPitch);
  float* const total = &tile.dy[0][0][0];  // [kOut, kIn, 9]
  for (uint32_t turn = 0; turn < kRows; ++turn) {
    __syncthreads();
    if (turn != warp) continue;
#pragma unroll
    for (uint32_t o = 0; o < kThreadOut; ++o)
#pragma unroll
      for (uint32_t i = 0; i < kThreadIn; ++i)
#pragma unroll
        for (uint32_t tap = 0; tap < 9; ++tap) {
          float* const at = total + ((out + o) * kIn + in + i) * 9 + tap;
          *at = turn == 0 ? sums[o][i][tap] : *at + sums[o][i][tap];
        }
  }
  __syncthreads();
  for (uint32_t i = threadIdx.x; i < kOut * kIn * 9; i += kBlock) {
    const uint32_t o = out_tile + i / (kIn * 9), c = in_tile + i % (kIn * 9) / 9;
    if (o < p.co && c < p.ci) partials[((static_cast<uint64_t>(share) * p.co + o) * p.ci + c) * 9 + i % 9] = total[i];
  }
}

}  // namespace

LarmorCudaStatus conv3x3_weight_gradient(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width,
                                         uint32_t split, const float* device_x, const float* device_beside, const float* device_dy,
                                         float* device_dw) {
  return on_context("conv3x3_weight_gradient", context, [&](Context& c) {
    require_sizes({{"n", n}, {"ci", ci}, {"co", co}, {"height", height}, {"width", width}});
    product({{"n", n}, {"ci", ci}, {"height", height}, {"width", width}});
    product({{"n", n}, {"co", co}, {"height", height}, {"width", width}});
    require_arrays({{"device_x", device_x}, {"device_dy", device_dy}, {"device_dw", device_dw}});
    const Channels<const float> x = channels_of(ci, split, device_x, device_beside, "split");
    Problem p{.ci = ci, .co = co, .height = height, .width = width, .tiles_x = (width - 1) / kColumns + 1, .tiles_y = (height - 1) / kRows + 1};
    p.tiles = product({{"n", n}, {"width", p.tiles_x}, {"height", p.tiles_y}});
    p.in_tiles = (ci - 1) / kIn + 1;
    p.out_tiles = (co - 1) / kOut + 1;
    const uint64_t pairs = static_cast<uint64_t>(p.in_tiles) * p.out_tiles;
    p.shares = shares_of(p.tiles, pairs);
    const uint32_t blocks = grid_size(pairs * p.shares, kMaxGridX, "ci * co in tiles");
    const uint64_t count = product({{"co", co}, {"ci", ci}, {"taps", 9}});
    const WeightSums result(c, count, p.shares);
    launch("conv3x3_weight_gradient", conv3x3_weight_gradient_kernel, dim3(blocks), dim3(kBlock), 0, c.stream(), p, x, device_dy,
           result.partials(device_dw));
    result.add(device_dw);
  });
}

}  // namespace larmor::cuda
