// 3x3 convolution and its weight gradient. Strips of rows are packed into the cache with a zero column between rows, so that all
// nine taps read one run of memory at nine offsets.
#include <algorithm>
#include <cstring>

#include "core/conv_strips.h"
#include "core/network.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kPositions = 1024;  // per strip: four rows of dy and two of x fit the 32 KiB L1 cache
constexpr size_t kOutChannels = 64;  // per task, whole tiles: packed, they stay in the L2 cache with kInChannels of x
constexpr size_t kInChannels = 64;
constexpr size_t kTasks = 16;        // wanted at least, where the image has as many strips

struct Geometry {
  size_t height, width, row;
  Strips strips;
  size_t y_stride, x_stride;  // floats between packed channels

  Geometry(size_t h, size_t w) : height(h), width(w), row(w + 1), strips(h, row, kPositions) {
    const size_t length = round_up(strips.rows * row, kStripAlign);
    y_stride = channel_stride(length);
    x_stride = channel_stride(length + 2 * row + 2);
  }

  ConvStrip strip(const Strips::Rows& rows) const {
    return {.length = round_up(rows.count() * row, kStripAlign), .row = row, .y_stride = y_stride, .x_stride = x_stride};
  }
};

/// Channels [begin, begin + count) of an image.
struct Some {
  const Channels<const float>& channels;
  size_t image, begin, count;
};

/// Rows [first, last) of some channels, each followed by a zero; rows outside the image are zero. `lead` zeros come first.
void pack(const Geometry& g, const Some& some, ptrdiff_t first, ptrdiff_t last, size_t lead, size_t stride, float* packed) {
  for (size_t c = 0; c < some.count; ++c, packed += stride) {
    const float* const image = some.channels.plane(some.image, some.begin + c, g.height * g.width);
    std::fill_n(packed, lead, 0.0f);
    float* out = packed + lead;
    for (ptrdiff_t y = first; y < last; ++y, out += g.row) {
      if (y < 0 || y >= static_cast<ptrdiff_t>(g.height)) {
        std::fill_n(out, g.row, 0.0f);
      } else {
        std::memcpy(out, image + static_cast<size_t>(y) * g.width, g.width * sizeof(float));
        out[g.width] = 0;
      }
    }
    std::fill(out, packed + stride, 0.0f);
  }
}

/// Packs the rows that the taps of strip `rows` reach.
void pack_input(const Geometry& g, const Some& some, const Strips::Rows& rows, float* packed) {
  pack(g, some, static_cast<ptrdiff_t>(rows.first) - 1, static_cast<ptrdiff_t>(rows.last) + 1, 1, g.x_stride, packed);
}

void clear(size_t n, size_t pixels, const Channels<float>& y) {
  std::fill_n(y.first, n * y.split * pixels, 0.0f);
  std::fill_n(y.second, n * (y.count - y.split) * pixels, 0.0f);
}

}  // namespace

void conv3x3(const Parallel& parallel, size_t n, size_t height, size_t width, const Channels<const float>& x, const float* weights, bool transposed,
             const Channels<float>& y) {
  const size_t pixels = height * width, ci = x.count, co = y.count;
  if (n * co * ci * pixels == 0) return clear(n, pixels, y);
  const Geometry g(height, width);
  const Scratch packed_weights(packed_weights_size(co, ci * 9));
  const auto copy = [&](size_t o, float* out, size_t stride) {
    for (size_t i = 0; i < ci; ++i, out += 9 * stride) {
      const float* const kernel = weights + (transposed ? i * co + o : o * ci + i) * 9;
      for (size_t tap = 0; tap < 9; ++tap) out[tap * stride] = kernel[transposed ? 8 - tap : tap];
    }
  };
  pack_weights(parallel, co, ci * 9, copy, packed_weights.data());
  const size_t groups = (co + kOutChannels - 1) / kOutChannels, tile = kernels().conv_tile_channels;
  parallel(n * g.strips.per_image * groups, [&](size_t task) {
    const size_t out_begin = task % groups * kOutChannels, outs = std::min(kOutChannels, co - out_begin);
    const Strips::Rows rows = g.strips[task / groups];
    const Scratch x_packed(std::min(kInChannels, ci) * g.x_stride), y_packed(packed_weights_size(outs, g.y_stride));
    for (size_t in_begin = 0; in_begin < ci; in_begin += kInChannels) {
      const size_t ins = std::min(kInChannels, ci - in_begin);
      pack_input(g, {x, rows.image, in_begin, ins}, rows, x_packed.data());
      kernels().conv3x3_strip(conv_tiles(outs), ins, g.strip(rows), packed_weights.data() + (out_begin * ci + in_begin * tile) * 9, ci * 9 * tile,
                              x_packed.data(), in_begin > 0, y_packed.data());
    }
    for (size_t o = 0; o < outs; ++o)
      for (size_t row = rows.first; row < rows.last; ++row)
        std::memcpy(y.plane(rows.image, out_begin + o, pixels) + row * width, y_packed.data() + o * g.y_stride + (row - rows.first) * g.row,
                    width * sizeof(float));
  });
}

void conv3x3_weight_gradient(const Parallel& parallel, size_t n, size_t height, size_t width, const Channels<const float>& x,
                             const Channels<const float>& dy, float* dw) {
  const size_t ci = x.count, co = dy.count, weights = co * ci * 9;
  if (weights == 0) return;
  if (n * height * width == 0) {
    std::fill_n(dw, weights, 0.0f);
    return;
  }
  const Geometry g(height, width);
  const size_t groups = (co + kOutChannels - 1) / kOutChannels;
  sum_in_bands(parallel, n * g.strips.per_image, groups, kTasks, weights, dw, [&](size_t begin, size_t end, size_t group, float* sums) {
    const size_t out_begin = group * kOutChannels, outs = std::min(kOutChannels, co - out_begin);
    const Scratch dy_packed(outs * g.y_stride), x_packed(std::min(kInChannels, ci) * g.x_stride);
    float* const out = sums + out_begin * ci * 9;
    std::fill_n(out, outs * ci * 9, 0.0f);
    for (size_t s = begin; s < end; ++s) {
      const Strips::Rows rows = g.strips[s];
      const auto first = static_cast<ptrdiff_t>(rows.first), last = static_cast<ptrdiff_t>(rows.last);
      pack(g, {dy, rows.image, out_begin, outs}, first, last, 0, g.y_stride, dy_packed.data());
      for (size_t in_begin = 0; in_begin < ci; in_begin += kInChannels) {
        const size_t ins = std::min(kInChannels, ci - in_begin);
        pack_input(g, {x, rows.image, in_begin, ins}, rows, x_packed.data());
        kernels().conv3x3_weight_gradient_strip(outs, ins, g.strip(rows), dy_packed.data(), x_packed.data(), ci * 9, out + in_begin * 9);
      }
    }
  });
}

}  // namespace larmor
