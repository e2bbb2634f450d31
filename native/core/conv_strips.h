// What convolutions share: strips of an image packed into the cache, and weights packed by tiles of output channels.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "core/kernels.h"
#include "core/parallel.h"
#include "core/scratch.h"

namespace larmor {

constexpr size_t kStripAlign = 16;  // floats of the widest register and of a cache line

constexpr size_t round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/// A multiple of a cache line but of no larger power of two, so that channels do not compete for the same cache sets.
constexpr size_t channel_stride(size_t floats) { return (round_up(floats, kStripAlign) / kStripAlign | 1) * kStripAlign; }

/// How an image is cut into strips of at most `rows` rows, nearly equal, of about `positions` values.
struct Strips {
  size_t height, rows, per_image;

  Strips(size_t image_height, size_t row, size_t positions) : height(image_height) {
    const size_t limit = std::clamp<size_t>(positions / row, 1, height);
    per_image = (height + limit - 1) / limit;
    rows = (height + per_image - 1) / per_image;
  }

  /// Rows [first, last) of image `image`.
  struct Rows {
    size_t image, first, last;
    size_t count() const { return last - first; }
  };
  Rows operator[](size_t strip) const {
    const size_t i = strip % per_image;
    return {strip / per_image, i * height / per_image, (i + 1) * height / per_image};
  }
};

/// `count` values of every channel, `pixels` apart, side by side and followed by zeros up to a whole register.
inline void pack_run(size_t channels, const float* image, size_t pixels, size_t count, size_t stride, float* packed) {
  for (size_t c = 0; c < channels; ++c, image += pixels, packed += stride) {
    std::memcpy(packed, image, count * sizeof(float));
    std::fill(packed + count, packed + round_up(count, kStripAlign), 0.0f);
  }
}

/// Tiles of the convolution kernels that hold `channels` output channels.
inline size_t conv_tiles(size_t channels) { return (channels + kernels().conv_tile_channels - 1) / kernels().conv_tile_channels; }

/// Floats of `pack_weights`.
inline size_t packed_weights_size(size_t co, size_t terms) { return conv_tiles(co) * kernels().conv_tile_channels * terms; }

/// Packs weights as [tile][term][channel of the tile], zero beyond co. copy(o, out, stride) writes term k of channel o to out[k * stride].
template <class Copy>
void pack_weights(const Parallel& parallel, size_t co, size_t terms, Copy&& copy, float* packed) {
  const size_t tile = kernels().conv_tile_channels;
  parallel(conv_tiles(co), [&](size_t t) {
    float* const out = packed + t * tile * terms;
    for (size_t c = 0; c < tile; ++c) {
      if (t * tile + c < co) copy(t * tile + c, out + c, tile);
      else for (size_t term = 0; term < terms; ++term) out[term * tile + c] = 0;
    }
  });
}

/// Sums body(begin, end, group, sums) over strips. Where groups of channels alone give fewer than `tasks` tasks, bands of strips
/// [begin, end) have arrays of their own, added in order at the end. The body fills the part of `sums` that belongs to its group.
template <class Body>
void sum_in_bands(const Parallel& parallel, size_t strips, size_t groups, size_t tasks, size_t size, float* total, Body&& body) {
  const size_t bands = std::clamp<size_t>(tasks / groups, 1, strips);
  const Scratch others((bands - 1) * size);
  const auto sums = [&](size_t band) { return band == 0 ? total : others.data() + (band - 1) * size; };
  parallel(bands * groups, [&](size_t task) {
    const size_t band = task / groups;
    body(band * strips / bands, (band + 1) * strips / bands, task % groups, sums(band));
  });
  constexpr size_t kBlock = 4096;
  parallel(bands == 1 ? 0 : (size + kBlock - 1) / kBlock, [&](size_t block) {
    const size_t end = std::min(size, (block + 1) * kBlock);
    for (size_t band = 1; band < bands; ++band)
      for (size_t i = block * kBlock; i < end; ++i) total[i] += sums(band)[i];
  });
}

}  // namespace larmor
