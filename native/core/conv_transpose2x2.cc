// Transposed 2x2 convolution of stride 2 and its gradients: products of matrices in which every output pixel of a 2x2 block is a
// channel of its own, [co, 2, 2] beside ci. Blocks are taken apart and put together in the cache.
#include <algorithm>
#include <cstring>

#include "core/conv_strips.h"
#include "core/network.h"

namespace larmor {
namespace {

constexpr size_t kPositions = 512;          // per strip of the products
constexpr size_t kGradientPositions = 1024;  // per strip of the weight gradient: long against the cost of adding up lanes
constexpr size_t kOutChannels = 16;         // per task, times four pixels of a block
constexpr size_t kTasks = 16;               // wanted at least, where channels allow

/// Strips of the low-resolution image, rows following one another without a gap.
struct Geometry {
  size_t width;
  Strips strips;
  size_t stride;  // floats between packed channels

  Geometry(size_t h, size_t w, size_t positions) : width(w), strips(h, w, positions), stride(channel_stride(strips.rows * w)) {}

  ConvStrip strip(const Strips::Rows& rows) const {
    return {.length = round_up(rows.count() * width, kStripAlign), .row = 0, .y_stride = stride, .x_stride = stride};
  }
};

/// Low-resolution rows of every channel.
void pack_rows(const Geometry& g, size_t channels, const float* image, const Strips::Rows& rows, float* packed) {
  pack_run(channels, image + rows.first * g.width, g.strips.height * g.width, rows.count() * g.width, g.stride, packed);
}

/// The rows of [channels, 2 height, 2 width] that belong to `rows`, as [channels, 2, 2] channels of low resolution.
void pack_blocks(const Geometry& g, size_t channels, const float* image, const Strips::Rows& rows, float* packed) {
  const size_t count = rows.count() * g.width, length = g.strip(rows).length;
  for (size_t c = 0; c < channels; ++c)
    for (size_t ky = 0; ky < 2; ++ky, packed += 2 * g.stride) {
      float *even = packed, *odd = packed + g.stride;
      for (size_t row = rows.first; row < rows.last; ++row, even += g.width, odd += g.width)
        kernels().deinterleave(g.width, image + ((c * g.strips.height + row) * 2 + ky) * 2 * g.width, even, odd);
      std::fill(packed + count, packed + length, 0.0f);
      std::fill(packed + g.stride + count, packed + g.stride + length, 0.0f);
    }
}

void unpack_blocks(const Geometry& g, size_t channels, const float* packed, const Strips::Rows& rows, float* image) {
  for (size_t c = 0; c < channels; ++c)
    for (size_t ky = 0; ky < 2; ++ky, packed += 2 * g.stride)
      for (size_t row = rows.first; row < rows.last; ++row) {
        const float* const even = packed + (row - rows.first) * g.width;
        kernels().interleave(g.width, even, even + g.stride, image + ((c * g.strips.height + row) * 2 + ky) * 2 * g.width);
      }
}

}  // namespace

void conv_transpose2x2(const Parallel& parallel, size_t n, size_t ci, size_t co, size_t height, size_t width, const float* x, const float* weights,
                       float* y) {
  const size_t pixels = height * width, columns = 4 * co;
  if (n * co * pixels == 0) return;
  const Geometry g(height, width, kPositions);
  const Scratch packed_weights(packed_weights_size(columns, ci));
  const auto copy = [&](size_t o, float* out, size_t stride) {
    for (size_t i = 0; i < ci; ++i) out[i * stride] = weights[i * columns + o];
  };
  pack_weights(parallel, columns, ci, copy, packed_weights.data());
  const size_t groups = (co + kOutChannels - 1) / kOutChannels, tile = kernels().conv_tile_channels;
  parallel(n * g.strips.per_image * groups, [&](size_t task) {
    const size_t out_begin = task % groups * kOutChannels, outs = std::min(kOutChannels, co - out_begin);
    const Strips::Rows rows = g.strips[task / groups];
    const Scratch x_packed(ci * g.stride), y_packed(packed_weights_size(4 * outs, g.stride));
    pack_rows(g, ci, x + rows.image * ci * pixels, rows, x_packed.data());
    kernels().conv1x1_strip(conv_tiles(4 * outs), ci, g.strip(rows), packed_weights.data() + 4 * out_begin * ci, ci * tile,
                            x_packed.data(), false, y_packed.data());
    unpack_blocks(g, outs, y_packed.data(), rows, y + (rows.image * co + out_begin) * 4 * pixels);
  });
}

void conv_transpose2x2_input_gradient(const Parallel& parallel, size_t n, size_t ci, size_t co, size_t height, size_t width, const float* dy,
                                      const float* weights, float* dx) {
  const size_t pixels = height * width, columns = 4 * co;
  if (n * ci * pixels == 0) return;
  const Geometry g(height, width, kPositions);
  const Scratch packed_weights(packed_weights_size(ci, columns));
  const auto copy = [&](size_t i, float* out, size_t stride) {
    for (size_t o = 0; o < columns; ++o) out[o * stride] = weights[i * columns + o];
  };
  pack_weights(parallel, ci, columns, copy, packed_weights.data());
  // Every task takes the blocks of all of dy's channels apart, so few strips are shared by as few tasks as there must be.
  const size_t strips = n * g.strips.per_image, tiles = conv_tiles(ci), groups = std::clamp<size_t>(kTasks / strips, 1, tiles);
  parallel(strips * groups, [&](size_t task) {
    const size_t tile = kernels().conv_tile_channels, group = task % groups;
    const size_t first_tile = group * tiles / groups, last_tile = (group + 1) * tiles / groups;
    const Strips::Rows rows = g.strips[task / groups];
    const Scratch dy_packed(columns * g.stride), dx_packed((last_tile - first_tile) * tile * g.stride);
    pack_blocks(g, co, dy + rows.image * co * 4 * pixels, rows, dy_packed.data());
    kernels().conv1x1_strip(last_tile - first_tile, columns, g.strip(rows), packed_weights.data() + first_tile * tile * columns, columns * tile,
                            dy_packed.data(), false, dx_packed.data());
    for (size_t i = first_tile * tile; i < std::min(last_tile * tile, ci); ++i)
      std::memcpy(dx + (rows.image * ci + i) * pixels + rows.first * width, dx_packed.data() + (i - first_tile * tile) * g.stride,
                  rows.count() * width * sizeof(float));
  });
}

void conv_transpose2x2_weight_gradient(const Parallel& parallel, size_t n, size_t ci, size_t co, size_t height, size_t width, const float* x,
                                       const float* dy, float* dw) {
  const size_t pixels = height * width, columns = 4 * co;
  if (ci * columns == 0) return;
  if (n * pixels == 0) {
    std::fill_n(dw, ci * columns, 0.0f);
    return;
  }
  const Geometry g(height, width, kGradientPositions);
  const size_t groups = (co + kOutChannels - 1) / kOutChannels;
  sum_in_bands(parallel, n * g.strips.per_image, groups, kTasks, ci * columns, dw, [&](size_t begin, size_t end, size_t group, float* sums) {
    const size_t out_begin = group * kOutChannels, outs = std::min(kOutChannels, co - out_begin);
    const Scratch x_packed(ci * g.stride), dy_packed(4 * outs * g.stride);
    float* const out = sums + 4 * out_begin;
    for (size_t i = 0; i < ci; ++i) std::fill_n(out + i * columns, 4 * outs, 0.0f);
    for (size_t s = begin; s < end; ++s) {
      const Strips::Rows rows = g.strips[s];
      pack_rows(g, ci, x + rows.image * ci * pixels, rows, x_packed.data());
      pack_blocks(g, outs, dy + (rows.image * co + out_begin) * 4 * pixels, rows, dy_packed.data());
      kernels().conv1x1_weight_gradient_strip(ci, 4 * outs, g.strip(rows), x_packed.data(), dy_packed.data(), columns, out);
    }
  });
}

}  // namespace larmor
