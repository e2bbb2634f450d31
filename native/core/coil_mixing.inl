// Linear combinations of coils, sample by sample.

struct SwapParts {  // im0 re0 im1 re1
  static constexpr int at(int i) { return i ^ 1; }
};

/// i x for complex samples: (-im, re).
inline wide times_i(wide x) {
  wide sign;
  for (size_t i = 0; i < kLanes; ++i) sign[i] = i % 2 == 0 ? -1.0f : 1.0f;
  return sign * shuffle<SwapParts>(x, x);
}

/// `kRows` combinations of 2 registers of samples, whose sums stay in registers.
template <size_t kRows>
inline void mix_tile(size_t coils, const c32* matrix, const c32* in, size_t in_stride, c32* out, size_t out_stride) {
  wide sum[kRows][2] = {};
  for (size_t c = 0; c < coils; ++c, in += in_stride) {
    const wide x0 = load(in), x1 = load(in + kLanes / 2);
    const wide ix0 = times_i(x0), ix1 = times_i(x1);
    for (size_t r = 0; r < kRows; ++r) {
      const c32 m = matrix[r * coils + c];
      sum[r][0] += m.re * x0 + m.im * ix0;
      sum[r][1] += m.re * x1 + m.im * ix1;
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    store(out + r * out_stride, sum[r][0]);
    store(out + r * out_stride + kLanes / 2, sum[r][1]);
  }
}

void mix_coils(size_t n, size_t coils, size_t mixed, const c32* matrix, const c32* in, size_t in_stride, c32* out, size_t out_stride) {
  constexpr size_t kTile = 4;  // rows: 8 sums leave registers for the samples at every instruction set
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    size_t r = 0;
    for (; r + kTile <= mixed; r += kTile)
      mix_tile<kTile>(coils, matrix + r * coils, in + i, in_stride, out + r * out_stride + i, out_stride);
    for (; r < mixed; ++r) mix_tile<1>(coils, matrix + r * coils, in + i, in_stride, out + r * out_stride + i, out_stride);
  }
  for (; i < n; ++i)
    for (size_t r = 0; r < mixed; ++r) {
      c32 sum{0, 0};
      for (size_t c = 0; c < coils; ++c) {
        const c32 m = matrix[r * coils + c], x = in[c * in_stride + i];
        sum.re += m.re * x.re - m.im * x.im;
        sum.im += m.re * x.im + m.im * x.re;
      }
      out[r * out_stride + i] = sum;
    }
}
