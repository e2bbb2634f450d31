// Convolutions of kSide x kSide taps and their weight gradients over one packed strip of an image: all taps read one run of memory.

constexpr size_t kConvOut = kLanes >= 16 ? 8 : 4;  // output channels per tile: with three vectors 24 of 32 registers, or 12 of 16
constexpr size_t kConvVectors = 3;

/// kConvOut channels of kVectors * kLanes positions: the sums stay in registers over all input channels and taps.
template <size_t kSide, size_t kVectors>
void conv_tile(size_t ci, const ConvStrip& strip, const float* weights, const float* x, bool add, float* y) {
  wide acc[kConvOut][kVectors] = {};
  if (add)
    for (size_t o = 0; o < kConvOut; ++o)
      for (size_t v = 0; v < kVectors; ++v) acc[o][v] = load(y + o * strip.y_stride + v * kLanes);
  for (size_t i = 0; i < ci; ++i, x += strip.x_stride)
    for (size_t ky = 0; ky < kSide; ++ky, weights += kSide * kConvOut) {
      const float* row = x + ky * strip.row;
#pragma GCC unroll 3
      for (size_t kx = 0; kx < kSide; ++kx) {
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

template <size_t kSide>
void conv_strip(size_t tiles, size_t ci, const ConvStrip& strip, const float* weights, size_t tile_stride, const float* x, bool add, float* y) {
  for (size_t p = 0; p < strip.length;) {
    const bool whole = p + kConvVectors * kLanes <= strip.length;
    for (size_t t = 0; t < tiles; ++t) {
      const float* const w = weights + t * tile_stride;
      float* const out = y + t * kConvOut * strip.y_stride + p;
      if (whole) conv_tile<kSide, kConvVectors>(ci, strip, w, x + p, add, out);
      else conv_tile<kSide, 1>(ci, strip, w, x + p, add, out);
    }
    p += whole ? kConvVectors * kLanes : kLanes;
  }
}

constexpr size_t kGradientOut = 4;                            // output channels per tile
constexpr size_t kGradientVectors = kLanes >= 16 ? 6 : 3;     // of x, taps of one row included: 24 or 12 sums

typedef float quad __attribute__((vector_size(16)));

/// The sums of the lanes of four vectors, as one vector.
inline quad sum_each(const wide (&v)[kGradientOut]) {
  const wide ab = shuffle<Even>(v[0], v[1]) + shuffle<Odd>(v[0], v[1]), cd = shuffle<Even>(v[2], v[3]) + shuffle<Odd>(v[2], v[3]);
  const wide abcd = shuffle<Even>(ab, cd) + shuffle<Odd>(ab, cd);
  quad quarters[kLanes / 4];
  __builtin_memcpy(quarters, &abcd, sizeof abcd);
  for (size_t i = 1; i < kLanes / 4; ++i) quarters[0] += quarters[i];
  return quarters[0];
}

/// kOut x kIn channels. The taps of one kernel row share the loads of dy; x is read where it lies, shifted by whole elements.
template <size_t kSide, size_t kOut, size_t kIn>
void weight_gradient_tile(const ConvStrip& strip, const float* dy, const float* x, size_t dw_stride, float* dw) {
  quad sums[kIn][kSide * kSide];
  for (size_t ky = 0; ky < kSide; ++ky) {
    wide acc[kIn][kSide][kGradientOut] = {};
    const float* row = x + ky * strip.row;
    for (size_t p = 0; p < strip.length; p += kLanes) {
      wide d[kOut];
#pragma GCC unroll 4
      for (size_t o = 0; o < kOut; ++o) d[o] = load(dy + o * strip.y_stride + p);
#pragma GCC unroll 6
      for (size_t i = 0; i < kIn; ++i)
#pragma GCC unroll 3
        for (size_t kx = 0; kx < kSide; ++kx) {
          const wide s = load(row + i * strip.x_stride + p + kx);
#pragma GCC unroll 4
          for (size_t o = 0; o < kOut; ++o) acc[i][kx][o] += d[o] * s;
        }
    }
    for (size_t i = 0; i < kIn; ++i)
      for (size_t kx = 0; kx < kSide; ++kx) sums[i][kSide * ky + kx] = sum_each(acc[i][kx]);
  }
  for (size_t o = 0; o < kOut; ++o)
    for (size_t i = 0; i < kIn; ++i)
      for (size_t tap = 0; tap < kSide * kSide; ++tap) dw[o * dw_stride + kSide * kSide * i + tap] += sums[i][tap][o];
}

template <size_t kSide, size_t kOut>
void weight_gradient_row(const ConvStrip& strip, size_t ci, const float* dy, const float* x, size_t dw_stride, float* dw) {
  constexpr size_t kIn = kGradientVectors / kSide, kTaps = kSide * kSide;
  size_t i = 0;
  for (; i + kIn <= ci; i += kIn) weight_gradient_tile<kSide, kOut, kIn>(strip, dy, x + i * strip.x_stride, dw_stride, dw + kTaps * i);
  for (; i < ci; ++i) weight_gradient_tile<kSide, kOut, 1>(strip, dy, x + i * strip.x_stride, dw_stride, dw + kTaps * i);
}

template <size_t kSide>
void weight_gradient_strip(size_t co, size_t ci, const ConvStrip& strip, const float* dy, const float* x, size_t dw_stride, float* dw) {
  for (size_t o = 0; o < co; o += kGradientOut, dy += kGradientOut * strip.y_stride, dw += kGradientOut * dw_stride) {
    switch (co - o) {
      case 1: weight_gradient_row<kSide, 1>(strip, ci, dy, x, dw_stride, dw); break;
      case 2: weight_gradient_row<kSide, 2>(strip, ci, dy, x, dw_stride, dw); break;
      case 3: weight_gradient_row<kSide, 3>(strip, ci, dy, x, dw_stride, dw); break;
      default: weight_gradient_row<kSide, 4>(strip, ci, dy, x, dw_stride, dw);
    }
  }
}

void interleave(size_t n, const float* even, const float* odd, float* both) {
  for (size_t i = 0; i < n; ++i) {
    both[2 * i] = even[i];
    both[2 * i + 1] = odd[i];
  }
}

void deinterleave(size_t n, const float* both, float* even, float* odd) {
  for (size_t i = 0; i < n; ++i) {
    even[i] = both[2 * i];
    odd[i] = both[2 * i + 1];
  }
}
