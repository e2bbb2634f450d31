// 3x3 convolution and its weight gradient. Strips of rows are packed into the cache with a zero column between rows, so that all
// nine taps read one run of memory at nine offsets.
#include <algorithm>
#include <cstring>

#include "core/kernels.h"
#include "core/network.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kStrip = 1024;       // positions per strip: four rows of dy and two of x fit the 32 KiB L1 cache
constexpr size_t kOutChannels = 32;   // per task: packed, they stay in the L2 cache with kInChannels of x
constexpr size_t kInChannels = 32;
constexpr size_t kTasks = 16;         // wanted at least, where the image has as many strips
constexpr size_t kAlign = 16;         // floats of the widest register and of a cache line

/// A multiple of a cache line but of no larger power of two, so that channels do not compete for the same cache sets.
size_t channel_stride(size_t floats) {
  const size_t lines = (floats + kAlign - 1) / kAlign;
  return (lines | 1) * kAlign;
}

struct Geometry {
  size_t height, width, row, rows_per_strip, strips_per_image;
  ConvStrip strip;

  Geometry(size_t h, size_t w) : height(h), width(w), row(w + 1) {
    rows_per_strip = std::clamp<size_t>(kStrip / row, 1, height);
    strips_per_image = (height + rows_per_strip - 1) / rows_per_strip;
    const size_t length = (rows_per_strip * row + kAlign - 1) / kAlign * kAlign;
    strip = {.length = length, .row = row, .y_stride = channel_stride(length), .x_stride = channel_stride(length + 2 * row + 2)};
  }
};

/// Rows [first, last) of every channel, each followed by a zero; rows outside the image are zero. `lead` zeros come first.
void pack(const Geometry& g, size_t channels, const float* image, ptrdiff_t first, ptrdiff_t last, size_t lead, size_t stride, float* packed) {
  for (size_t c = 0; c < channels; ++c, image += g.height * g.width, packed += stride) {
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

/// Tiles of conv_strip that hold `channels`.
size_t whole_tiles(size_t channels) {
  const size_t tile = kernels().conv_tile_channels;
  return (channels + tile - 1) / tile;
}

/// weights [co, ci, 9], or [ci, co, 9] with the taps reversed when `transposed`, as [tile][ci][9][tile channels], zero beyond co.
void pack_weights(const Parallel& parallel, size_t co, size_t ci, bool transposed, const float* weights, float* packed) {
  const size_t tile = kernels().conv_tile_channels;
  parallel(whole_tiles(co), [&](size_t t) {
    float* out = packed + t * tile * ci * 9;
    for (size_t i = 0; i < ci; ++i)
      for (size_t tap = 0; tap < 9; ++tap)
        for (size_t o = t * tile; o < (t + 1) * tile; ++o) {
          if (o >= co) *out++ = 0;
          else *out++ = transposed ? weights[(i * co + o) * 9 + 8 - tap] : weights[(o * ci + i) * 9 + tap];
        }
  });
}

}  // namespace

void conv3x3(const Parallel& parallel, size_t n, size_t ci, size_t co, size_t height, size_t width, const float* x, const float* weights,
             bool transposed, float* y) {
  if (n * co * height * width == 0) return;
  const Geometry g(height, width);
  const size_t groups = (co + kOutChannels - 1) / kOutChannels, tile = kernels().conv_tile_channels;
  const Scratch packed_weights(whole_tiles(co) * tile * ci * 9);
  pack_weights(parallel, co, ci, transposed, weights, packed_weights.data());
  parallel(n * g.strips_per_image * groups, [&](size_t task) {
    const size_t s = task / groups, out_begin = task % groups * kOutChannels, outs = std::min(kOutChannels, co - out_begin);
    const size_t image = s / g.strips_per_image, first = s % g.strips_per_image * g.rows_per_strip, last = std::min(first + g.rows_per_strip, height);
    const Scratch x_packed(ci * g.strip.x_stride), y_packed(whole_tiles(outs) * tile * g.strip.y_stride);
    pack(g, ci, x + image * ci * height * width, static_cast<ptrdiff_t>(first) - 1, static_cast<ptrdiff_t>(last) + 1, 1, g.strip.x_stride, x_packed.data());
    kernels().conv_strip(whole_tiles(outs), ci, g.strip, packed_weights.data() + out_begin * ci * 9, x_packed.data(), y_packed.data());
    for (size_t o = 0; o < outs; ++o)
      for (size_t row = first; row < last; ++row)
        std::memcpy(y + ((image * co + out_begin + o) * height + row) * width, y_packed.data() + o * g.strip.y_stride + (row - first) * g.row,
                    width * sizeof(float));
  });
}

void conv3x3_weight_gradient(const Parallel& parallel, size_t n, size_t ci, size_t co, size_t height, size_t width, const float* x, const float* dy,
                             float* dw) {
  const size_t weights = co * ci * 9;
  if (weights == 0) return;
  if (n * height * width == 0) {
    std::fill_n(dw, weights, 0.0f);
    return;
  }
  const Geometry g(height, width);
  const size_t strips = n * g.strips_per_image;
  const size_t groups = (co + kOutChannels - 1) / kOutChannels;
  // Where channels alone give too few tasks, bands of strips sum into arrays of their own, added in order at the end.
  const size_t bands = std::clamp<size_t>(kTasks / groups, 1, strips);
  const Scratch partial(bands == 1 ? 0 : bands * weights);
  float* const sums = bands == 1 ? dw : partial.data();

  const ConvStrip& strip = g.strip;
  parallel(bands * groups, [&](size_t task) {
    const size_t band = task / groups, out_begin = task % groups * kOutChannels, outs = std::min(kOutChannels, co - out_begin);
    const Scratch dy_packed(outs * strip.y_stride), x_packed(std::min(kInChannels, ci) * strip.x_stride);
    float* const band_sums = sums + band * weights + out_begin * ci * 9;
    std::fill_n(band_sums, outs * ci * 9, 0.0f);
    for (size_t s = band * strips / bands; s < (band + 1) * strips / bands; ++s) {
      const size_t image = s / g.strips_per_image, y = s % g.strips_per_image * g.rows_per_strip;
      const auto first = static_cast<ptrdiff_t>(y), last = static_cast<ptrdiff_t>(std::min(y + g.rows_per_strip, height));
      pack(g, outs, dy + (image * co + out_begin) * height * width, first, last, 0, strip.y_stride, dy_packed.data());
      for (size_t in_begin = 0; in_begin < ci; in_begin += kInChannels) {
        const size_t ins = std::min(kInChannels, ci - in_begin);
        pack(g, ins, x + (image * ci + in_begin) * height * width, first - 1, last + 1, 1, strip.x_stride, x_packed.data());
        kernels().weight_gradient_strip(outs, ins, strip, dy_packed.data(), x_packed.data(), ci * 9, band_sums + in_begin * 9);
      }
    }
  });
  if (bands == 1) return;
  parallel(co, [&](size_t o) {
    float* const out = dw + o * ci * 9;
    std::memcpy(out, sums + o * ci * 9, ci * 9 * sizeof(float));
    for (size_t band = 1; band < bands; ++band)
      for (size_t i = 0; i < ci * 9; ++i) out[i] += sums[band * weights + o * ci * 9 + i];
  });
}

}  // namespace larmor
