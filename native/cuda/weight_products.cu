// Weight gradients that are products of two matrices with the pixels as their long side: of 1x1 convolutions and of transposed 2x2 ones.
#include "cuda/context.h"
#include "cuda/device.h"
#include "cuda/entries.h"
#include "cuda/network_arguments.h"
#include "cuda/weight_sums.h"

namespace larmor::cuda {
namespace {

constexpr uint32_t kPixels = 32;                    // at a time
constexpr uint32_t kColumns = 64, kPitch = 64 + 4;  // of a block's result; the pitch keeps four values aligned and pixels in different banks

/// result[row, column] = sum over images and pixels of left[image, row, pixel] right[image, column, pixel].
struct Problem {
  uint32_t rows, columns;
  uint64_t pixels;
  uint32_t width = 0;  // of the smaller image, where the columns of `right` are the taps of a transposed convolution
  uint64_t tiles_per_image = 0, tiles = 0;
  uint32_t row_tiles = 0, column_tiles = 0, shares = 0;
};

/// One value of `right`: column `4 channel + 2 ky + kx` is every second pixel of the channel's plane of twice the size when kTaps.
template <bool kTaps>
__device__ float right_value(const Problem& p, const float* right, uint64_t image, uint32_t column, uint64_t pixel) {
  if constexpr (!kTaps) return right[(image * p.columns + column) * p.pixels + pixel];
  const uint64_t y = pixel / p.width, x = pixel % p.width, plane = image * (p.columns / 4) + column / 4;
  return right[plane * 4 * p.pixels + (2 * y + column / 2 % 2) * 2 * p.width + 2 * x + column % 2];
}

/// partials [share, rows, columns], and where not null the sums of the rows of `left` [share, rows]. A thread has kRows rows, 4 columns.
template <uint32_t kRows, bool kTaps>
__global__ void __launch_bounds__(kBlock) weight_products_kernel(Problem p, const float* left, const float* right, float* partials,
                                                                 float* row_partials) {
  constexpr uint32_t kBlockRows = 16 * kRows;
  alignas(16) __shared__ float a[kPixels][kBlockRows + 4];
  alignas(16) __shared__ float b[kPixels][kPitch];
  uint32_t block = blockIdx.x;
  const uint32_t column_tile = block % p.column_tiles * kColumns;
  block /= p.column_tiles;
  const uint32_t row_tile = block % p.row_tiles * kBlockRows, share = block / p.row_tiles;
  const uint32_t row = threadIdx.x / 16 * kRows, column = threadIdx.x % 16 * 4, lane = threadIdx.x % kPixels, warp = threadIdx.x / kPixels;
  const bool sum_rows = row_partials != nullptr && column_tile == 0;

  float sums[kRows][4] = {}, row_sums[kRows] = {};
  const Share range(p.tiles, share, p.shares);
  for (uint64_t t = range.begin; t < range.end; ++t) {
    const uint64_t image = t / p.tiles_per_image, pixel = t % p.tiles_per_image * kPixels + lane;
    __syncthreads();  // the pixels before are read no more
    for (uint32_t r = warp; r < kBlockRows; r += kBlock / kPixels)
      a[lane][r] = row_tile + r < p.rows && pixel < p.pixels ? left[(image * p.rows + row_tile + r) * p.pixels + pixel] : 0.0f;
    for (uint32_t c = warp; c < kColumns; c += kBlock / kPixels)
      b[lane][c] = column_tile + c < p.columns && pixel < p.pixels ? right_value<kTaps>(p, right, image, column_tile + c, pixel) : 0.0f;
    __syncthreads();
#pragma unroll 8
    for (uint32_t k = 0; k < kPixels; ++k) {
      const float4 y = *reinterpret_cast<const float4*>(&b[k][column]);
#pragma unroll
      for (uint32_t r = 0; r < kRows; ++r) {
        const float x = a[k][row + r];
        sums[r][0] += x * y.x;
        sums[r][1] += x * y.y;
        sums[r][2] += x * y.z;
        sums[r][3] += x * y.w;
        if (sum_rows) row_sums[r] += x;
      }
    }
  }
#pragma unroll
  for (uint32_t r = 0; r < kRows; ++r) {
    const uint64_t at = static_cast<uint64_t>(share) * p.rows + row_tile + row + r;
    if (row_tile + row + r >= p.rows) continue;
    if (sum_rows && column == 0) row_partials[at] = row_sums[r];
#pragma unroll
    for (uint32_t c = 0; c < 4; ++c)
      if (column_tile + column + c < p.columns) partials[at * p.columns + column_tile + column + c] = sums[r][c];
  }
}

template <uint32_t kRows, bool kTaps>
void run(Context& context, const char* name, uint32_t n, Problem p, const float* left, const float* right, float* result, float* row_sums) {
  p.tiles_per_image = (p.pixels - 1) / kPixels + 1;
  p.tiles = n * p.tiles_per_image;
  p.row_tiles = (p.rows - 1) / (16 * kRows) + 1;
  p.column_tiles = (p.columns - 1) / kColumns + 1;
  const uint64_t blocks = static_cast<uint64_t>(p.row_tiles) * p.column_tiles;
  p.shares = shares_of(p.tiles, blocks);
  const WeightSums products(context, product({{"co", p.rows}, {"ci", p.columns}}), p.shares), rows(context, p.rows, p.shares);
  launch(name, weight_products_kernel<kRows, kTaps>, dim3(grid_size(blocks * p.shares, kMaxGridX, "ci * co in tiles")), dim3(kBlock), 0,
         context.stream(), p, left, right, products.partials(result), row_sums == nullptr ? nullptr : rows.partials(row_sums));
  products.add(result);
  if (row_sums != nullptr) rows.add(row_sums);
}

}  // namespace

LarmorCudaStatus conv1x1_weight_gradient(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint64_t pixels, const float* device_x,
                                         const float* device_dy, float* device_dw, float* device_dbias) {
  return on_context("conv1x1_weight_gradient", context, [&](Context& c) {
    require_sizes({{"n", n}, {"ci", ci}, {"co", co}, {"pixels", pixels}});
    product({{"n", n}, {"ci", ci}, {"pixels", pixels}});
    product({{"n", n}, {"co", co}, {"pixels", pixels}});
    require_arrays({{"device_x", device_x}, {"device_dy", device_dy}, {"device_dw", device_dw}});
    const auto multiply = co <= 16 ? run<1, false> : run<4, false>;
    multiply(c, "conv1x1_weight_gradient", n, {.rows = co, .columns = ci, .pixels = pixels}, device_dy, device_x, device_dw, device_dbias);
  });
}

LarmorCudaStatus conv_transpose2x2_weight_gradient(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width,
                                                   const float* device_x, const float* device_dy, float* device_dw) {
  return on_context("conv_transpose2x2_weight_gradient", context, [&](Context& c) {
    require_sizes({{"n", n}, {"ci", ci}, {"co", co}, {"height", height}, {"width", width}});
    product({{"n", n}, {"ci", ci}, {"height", height}, {"width", width}});
    product({{"n", n}, {"co", co}, {"taps", 4}, {"height", height}, {"width", width}});
    require(co <= UINT32_MAX / 4, "co must be at most ", UINT32_MAX / 4, ", got ", co);
    require_arrays({{"device_x", device_x}, {"device_dy", device_dy}, {"device_dw", device_dw}});
    const uint64_t pixels = static_cast<uint64_t>(height) * width;
    run<4, true>(c, "conv_transpose2x2_weight_gradient", n, {.rows = ci, .columns = 4 * co, .pixels = pixels, .width = width}, device_x, device_dy,
                 device_dw, nullptr);
  });
}

}  // namespace larmor::cuda
