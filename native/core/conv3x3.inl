// 3x3 convolution and its weight gradient over one packed strip of an image, where all nine taps read one run of memory.

constexpr size_t kTileOut = 4;                      // output channels per tile
constexpr size_t kTileIn = kLanes >= 16 ? 2 : 1;    // input channels: 24 sums fill 32 registers, 12 sums fill 16

typedef float quad __attribute__((vector_size(16)));

/// The sums of the lanes of four vectors, as one vector.
inline quad sum_each(const wide (&v)[kTileOut]) {
  const wide ab = shuffle<Even>(v[0], v[1]) + shuffle<Odd>(v[0], v[1]), cd = shuffle<Even>(v[2], v[3]) + shuffle<Odd>(v[2], v[3]);
  const wide abcd = shuffle<Even>(ab, cd) + shuffle<Odd>(ab, cd);
  quad quarters[kLanes / 4];
  __builtin_memcpy(quarters, &abcd, sizeof abcd);
  for (size_t i = 1; i < kLanes / 4; ++i) quarters[0] += quarters[i];
  return quarters[0];
}

/// kOut x kIn channels. Nine taps share the loads of dy three at a time; x is read where it lies, shifted by whole elements.
template <size_t kOut, size_t kIn>
void weight_gradient_tile(const ConvStrip& strip, const float* dy, const float* x, size_t dw_stride, float* dw) {
  quad sums[kIn][9];
  for (size_t ky = 0; ky < 3; ++ky) {
    wide acc[kIn][3][kTileOut] = {};
    const float* row = x + ky * strip.row;
    for (size_t p = 0; p < strip.length; p += kLanes) {
      wide d[kOut];
#pragma GCC unroll 4
      for (size_t o = 0; o < kOut; ++o) d[o] = load(dy + o * strip.y_stride + p);
#pragma GCC unroll 2
      for (size_t i = 0; i < kIn; ++i)
#pragma GCC unroll 3
        for (size_t kx = 0; kx < 3; ++kx) {
          const wide s = load(row + i * strip.x_stride + p + kx);
#pragma GCC unroll 4
          for (size_t o = 0; o < kOut; ++o) acc[i][kx][o] += d[o] * s;
        }
    }
    for (size_t i = 0; i < kIn; ++i)
      for (size_t kx = 0; kx < 3; ++kx) sums[i][3 * ky + kx] = sum_each(acc[i][kx]);
  }
  for (size_t o = 0; o < kOut; ++o)
    for (size_t i = 0; i < kIn; ++i)
      for (size_t tap = 0; tap < 9; ++tap) dw[o * dw_stride + 9 * i + tap] += sums[i][tap][o];
}

template <size_t kOut>
void weight_gradient_row(const ConvStrip& strip, size_t ci, const float* dy, const float* x, size_t dw_stride, float* dw) {
  size_t i = 0;
  for (; i + kTileIn <= ci; i += kTileIn) weight_gradient_tile<kOut, kTileIn>(strip, dy, x + i * strip.x_stride, dw_stride, dw + 9 * i);
  for (; i < ci; ++i) weight_gradient_tile<kOut, 1>(strip, dy, x + i * strip.x_stride, dw_stride, dw + 9 * i);
}

void weight_gradient_strip(size_t co, size_t ci, const ConvStrip& strip, const float* dy, const float* x, size_t dw_stride, float* dw) {
  for (size_t o = 0; o < co; o += kTileOut, dy += kTileOut * strip.y_stride, dw += kTileOut * dw_stride) {
    switch (co - o) {
      case 1: weight_gradient_row<1>(strip, ci, dy, x, dw_stride, dw); break;
      case 2: weight_gradient_row<2>(strip, ci, dy, x, dw_stride, dw); break;
      case 3: weight_gradient_row<3>(strip, ci, dy, x, dw_stride, dw); break;
      default: weight_gradient_row<4>(strip, ci, dy, x, dw_stride, dw);
    }
  }
}

constexpr size_t kConvOut = kLanes >= 16 ? 8 : 4;  // output channels per tile: with three vectors 24 of 32 registers, or 12 of 16
constexpr size_t kConvVectors = 3;

/// kConvOut channels of kVectors * kLanes positions: the sums stay in registers over all input channels and taps.
template <size_t kVectors>
void conv_tile(size_t ci, const ConvStrip& strip, const float* weights, const float* x, float* y) {
  wide acc[kConvOut][kVectors] = {};
  for (size_t i = 0; i < ci; ++i, x += strip.x_stride)
    for (size_t ky = 0; ky < 3; ++ky, weights += 3 * kConvOut) {
      const float* row = x + ky * strip.row;
#pragma GCC unroll 3
      for (size_t kx = 0; kx < 3; ++kx) {
        wide s[kVectors];
#pragma GCC unroll 3
        for (size_t v = 0; v < kVectors; ++v) s[v] = load(row + kx + v * kLanes);
#pragma GCC unroll 8
        for (size_t o = 0; o < kConvOut; ++o) {
          const wide w = broadcast(weights[kx * kConvOut + o]);
#pragma GCC unroll 3
          for (size_t v = 0; v < kVectors; ++v) acc[o][v] += w * s[v];
        }
      }
    }
  for (size_t o = 0; o < kConvOut; ++o)
    for (size_t v = 0; v < kVectors; ++v) store(y + o * strip.y_stride + v * kLanes, acc[o][v]);
}

void conv_strip(size_t tiles, size_t ci, const ConvStrip& strip, const float* weights, const float* x, float* y) {
  size_t p = 0;
  for (; p < strip.length;) {
    const bool whole = p + kConvVectors * kLanes <= strip.length;
    for (size_t t = 0; t < tiles; ++t) {
      const float* const w = weights + t * ci * 9 * kConvOut;
      float* const out = y + t * kConvOut * strip.y_stride + p;
      if (whole) conv_tile<kConvVectors>(ci, strip, w, x + p, out);
      else conv_tile<1>(ci, strip, w, x + p, out);
    }
    p += whole ? kConvVectors * kLanes : kLanes;
  }
}
