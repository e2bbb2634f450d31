// Wavelet filters of four taps on complex samples, along a row and across rows, and the shrinkage of their coefficients.

struct EvenPairs {  // complex samples 0, 2, 4 ... of (a, b)
  static constexpr int at(int i) { return i / 2 * 4 + (i & 1); }
};
struct OddPairs {
  static constexpr int at(int i) { return EvenPairs::at(i) + 2; }
};
struct ZipPairsLow {  // complex samples of a and b in turn: the lower half of both
  static constexpr int at(int i) { return i / 4 * 2 + (i & 1) + other(i & 2); }
};
struct ZipPairsHigh {
  static constexpr int at(int i) { return ZipPairsLow::at(i) + kN / 2; }
};

inline c32 weighted(const float* taps, const c32& a, const c32& b, const c32& c, const c32& d) {
  return {taps[0] * a.re + taps[1] * b.re + taps[2] * c.re + taps[3] * d.re, taps[0] * a.im + taps[1] * b.im + taps[2] * c.im + taps[3] * d.im};
}
inline wide weighted(const float* taps, wide a, wide b, wide c, wide d) { return taps[0] * a + taps[1] * b + (taps[2] * c + taps[3] * d); }

void wavelet_split(size_t pairs, const WaveletTaps& taps, const c32* x, c32* low, c32* high) {
  size_t i = 0;
  for (; i + kHalf <= pairs; i += kHalf) {
    const c32* const at = x + 2 * i - 2;
    const wide a = load(at), b = load(at + kHalf), c = load(at + 2), d = load(at + 2 + kHalf);
    const wide x0 = shuffle<EvenPairs>(a, b), x1 = shuffle<OddPairs>(a, b), x2 = shuffle<EvenPairs>(c, d), x3 = shuffle<OddPairs>(c, d);
    store(low + i, weighted(taps.split[0], x0, x1, x2, x3));
    store(high + i, weighted(taps.split[1], x0, x1, x2, x3));
  }
  for (; i < pairs; ++i) {
    const c32* const at = x + 2 * i - 2;
    low[i] = weighted(taps.split[0], at[0], at[1], at[2], at[3]);
    high[i] = weighted(taps.split[1], at[0], at[1], at[2], at[3]);
  }
}

void wavelet_join(size_t pairs, const WaveletTaps& taps, const c32* low, const c32* high, c32* x) {
  size_t i = 0;
  for (; i + kHalf <= pairs; i += kHalf) {
    const wide a = load(low + i - 1), b = load(low + i), c = load(high + i - 1), d = load(high + i);
    const wide first = weighted(taps.join[0], a, b, c, d), second = weighted(taps.join[1], a, b, c, d);
    store(x + 2 * i - 2, shuffle<ZipPairsLow>(first, second));
    store(x + 2 * i - 2 + kHalf, shuffle<ZipPairsHigh>(first, second));
  }
  for (; i < pairs; ++i) {
    x[2 * i - 2] = weighted(taps.join[0], low[i - 1], low[i], high[i - 1], high[i]);
    x[2 * i - 1] = weighted(taps.join[1], low[i - 1], low[i], high[i - 1], high[i]);
  }
}

void combine_rows(size_t n, const float* first_taps, const float* second_taps, const c32* const* rows, c32* first, c32* second) {
  size_t i = 0;
  for (; i + kHalf <= n; i += kHalf) {
    const wide a = load(rows[0] + i), b = load(rows[1] + i), c = load(rows[2] + i), d = load(rows[3] + i);
    store(first + i, weighted(first_taps, a, b, c, d));
    store(second + i, weighted(second_taps, a, b, c, d));
  }
  for (; i < n; ++i) {
    first[i] = weighted(first_taps, rows[0][i], rows[1][i], rows[2][i], rows[3][i]);
    second[i] = weighted(second_taps, rows[0][i], rows[1][i], rows[2][i], rows[3][i]);
  }
}

inline wide square_root(wide v) {
  wide root;
  for (size_t i = 0; i < kLanes; ++i) root[i] = __builtin_sqrtf(v[i]);
  return root;
}

double soft_threshold(size_t n, float threshold, c32* x) {
  DoubleSum sum;
  double rest = 0;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const wide a = load(x + i), b = load(x + i + kHalf);
    const wide re = shuffle<Even>(a, b), im = shuffle<Odd>(a, b);
    const wide size = square_root(re * re + im * im);
    const wide factor = size <= threshold ? wide{} : (size - threshold) / size;  // NaN stays NaN
    sum.add_product(size, factor);
    store(x + i, shuffle<ZipLow>(re * factor, im * factor));
    store(x + i + kHalf, shuffle<ZipHigh>(re * factor, im * factor));
  }
  for (; i < n; ++i) {
    const float size = __builtin_sqrtf(x[i].re * x[i].re + x[i].im * x[i].im);
    const float factor = size <= threshold ? 0 : (size - threshold) / size;
    rest += static_cast<double>(size) * factor;
    x[i] = {x[i].re * factor, x[i].im * factor};
  }
  return sum.total() + rest;
}
