// Weight gradient of a 3x3 convolution. Strips of rows are packed into the cache with a zero column between rows, so that all
// nine taps read one run of memory at nine offsets; the sums of a tile stay in registers over a whole strip.
#include <algorithm>
#include <cstring>

#include "core/aligned.h"
#include "core/kernels.h"
#include "core/network.h"

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

  Geometry(size_t h, size_t w) : height(h), width(w), row(w + 1) {
    rows_per_strip = std::clamp<size_t>(kStrip / row, 1, height);
    strips_per_image = (height + rows_per_strip - 1) / rows_per_strip;
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

}  // namespace

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
  const AlignedFloats partial = aligned_floats(bands == 1 ? 0 : bands * weights);
  float* const sums = bands == 1 ? dw : partial.get();

  const size_t positions = (g.rows_per_strip * g.row + kAlign - 1) / kAlign * kAlign;
  const WeightGradientStrip strip{.length = positions,
                                  .row = g.row,
                                  .dy_stride = channel_stride(positions),
                                  .x_stride = channel_stride(positions + 2 * g.row + 2),
                                  .dw_stride = ci * 9};
  parallel(bands * groups, [&](size_t task) {
    const size_t band = task / groups, out_begin = task % groups * kOutChannels, outs = std::min(kOutChannels, co - out_begin);
    const AlignedFloats dy_packed = aligned_floats(outs * strip.dy_stride), x_packed = aligned_floats(std::min(kInChannels, ci) * strip.x_stride);
    float* const band_sums = sums + band * weights + out_begin * ci * 9;
    std::fill_n(band_sums, outs * ci * 9, 0.0f);
    for (size_t s = band * strips / bands; s < (band + 1) * strips / bands; ++s) {
      const size_t image = s / g.strips_per_image, y = s % g.strips_per_image * g.rows_per_strip;
      const auto first = static_cast<ptrdiff_t>(y), last = static_cast<ptrdiff_t>(std::min(y + g.rows_per_strip, height));
      pack(g, outs, dy + (image * co + out_begin) * height * width, first, last, 0, strip.dy_stride, dy_packed.get());
      for (size_t in_begin = 0; in_begin < ci; in_begin += kInChannels) {
        const size_t ins = std::min(kInChannels, ci - in_begin);
        pack(g, ins, x + (image * ci + in_begin) * height * width, first - 1, last + 1, 1, strip.x_stride, x_packed.get());
        kernels().weight_gradient_strip(outs, ins, strip, dy_packed.get(), x_packed.get(), band_sums + in_begin * 9);
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
