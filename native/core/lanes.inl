// Lanes: kLanes rows (or columns) side by side, sample by sample. A slot of the lane buffer holds the real parts of one sample of
// all lanes, then the imaginary parts, so that a transform of kLanes rows needs no shuffles but on the way in and out.

struct Lane {
  wide re, im;
};

inline Lane operator+(const Lane& a, const Lane& b) { return {a.re + b.re, a.im + b.im}; }
inline Lane operator-(const Lane& a, const Lane& b) { return {a.re - b.re, a.im - b.im}; }
inline Lane operator*(const Lane& a, float b) { return {a.re * b, a.im * b}; }
inline Lane operator*(const Lane& a, const c32& w) { return {a.re * w.re - a.im * w.im, a.im * w.re + a.re * w.im}; }

inline wide load(const c32* at) { return load(&at->re); }
inline void store(c32* at, wide v) { store(&at->re, v); }
inline Lane* lanes_at(float* lanes) { return reinterpret_cast<Lane*>(lanes); }
inline const Lane* lanes_at(const float* lanes) { return reinterpret_cast<const Lane*>(lanes); }

// Shuffles of two vectors; a pattern maps a position of the result to a position in (a, b). Only its own 128-bit quarter is read by
// the first six, which makes each one instruction.
template <class Pattern, int... I>
inline wide shuffle(wide a, wide b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, Pattern::at(I)...);
}
template <class Pattern>
inline wide shuffle(wide a, wide b) {
  return shuffle<Pattern>(a, b, std::make_integer_sequence<int, kLanes>{});
}
constexpr int kN = static_cast<int>(kLanes);
constexpr int quarter_start(int i) { return i / 4 * 4; }
constexpr int other(bool b) { return b ? kN : 0; }
struct Even {  // a0 a2 b0 b2
  static constexpr int at(int i) { return quarter_start(i) + other(i & 2) + (i & 1) * 2; }
};
struct Odd {  // a1 a3 b1 b3
  static constexpr int at(int i) { return Even::at(i) + 1; }
};
struct ZipLow {  // a0 b0 a1 b1
  static constexpr int at(int i) { return quarter_start(i) + other(i & 1) + (i & 2) / 2; }
};
struct ZipHigh {  // a2 b2 a3 b3
  static constexpr int at(int i) { return ZipLow::at(i) + 2; }
};
struct PairLow {  // a0 a1 b0 b1
  static constexpr int at(int i) { return quarter_start(i) + other(i & 2) + (i & 1); }
};
struct PairHigh {  // a2 a3 b2 b3
  static constexpr int at(int i) { return PairLow::at(i) + 2; }
};
struct LowerHalves {  // whole quarters: the lower half of a, then that of b
  static constexpr int at(int i) { return i % (kN / 2) + other(i >= kN / 2); }
};
struct UpperHalves {
  static constexpr int at(int i) { return LowerHalves::at(i) + kN / 2; }
};
struct EvenQuarters {  // quarters 0 and 2 of a, then those of b
  static constexpr int at(int i) { return i % 4 + i / 4 % 2 * 8 + other(i >= kN / 2); }
};
struct OddQuarters {
  static constexpr int at(int i) { return EvenQuarters::at(i) + 4; }
};

/// Transposes kLanes vectors of kLanes floats.
inline void transpose(wide (&v)[kLanes]) {
  wide t[kLanes];
  for (size_t g = 0; g < kLanes; g += 4) {
    const wide low0 = shuffle<ZipLow>(v[g], v[g + 1]), high0 = shuffle<ZipHigh>(v[g], v[g + 1]);
    const wide low1 = shuffle<ZipLow>(v[g + 2], v[g + 3]), high1 = shuffle<ZipHigh>(v[g + 2], v[g + 3]);
    t[g] = shuffle<PairLow>(low0, low1);
    t[g + 1] = shuffle<PairHigh>(low0, low1);
    t[g + 2] = shuffle<PairLow>(high0, high1);
    t[g + 3] = shuffle<PairHigh>(high0, high1);
  }
  for (size_t c = 0; c < 4; ++c) {
    if constexpr (kLanes == 4) {
      v[c] = t[c];
    } else if constexpr (kLanes == 8) {
      v[c] = shuffle<LowerHalves>(t[c], t[c + 4]);
      v[c + 4] = shuffle<UpperHalves>(t[c], t[c + 4]);
    } else {
      const wide low0 = shuffle<LowerHalves>(t[c], t[c + 4]), high0 = shuffle<UpperHalves>(t[c], t[c + 4]);
      const wide low1 = shuffle<LowerHalves>(t[c + 8], t[c + 12]), high1 = shuffle<UpperHalves>(t[c + 8], t[c + 12]);
      v[c] = shuffle<EvenQuarters>(low0, low1);
      v[c + 4] = shuffle<OddQuarters>(low0, low1);
      v[c + 8] = shuffle<EvenQuarters>(high0, high1);
      v[c + 12] = shuffle<OddQuarters>(high0, high1);
    }
  }
}

constexpr size_t kSlotFloats = 2 * kLanes;
constexpr size_t kHalf = kLanes / 2;  // complex samples in one vector

void load_rows(size_t rows, size_t n, const c32* in, size_t stride, const uint32_t* slot, bool swap, float* lanes) {
  const size_t first = swap ? kLanes : 0, second = kLanes - first;
  const c32* row[kLanes];
  for (size_t r = 0; r < kLanes; ++r) row[r] = in + (r < rows ? r : 0) * stride;  // spare lanes repeat the first row
  size_t j = 0;
  for (; j + kHalf <= n; j += kHalf) {
    wide v[kLanes];
    for (size_t r = 0; r < kLanes; ++r) v[r] = load(row[r] + j);
    transpose(v);
    for (size_t q = 0; q < kHalf; ++q) {
      float* const at = lanes + slot[j + q] * kSlotFloats;
      store(at + first, v[2 * q]);
      store(at + second, v[2 * q + 1]);
    }
  }
  for (; j < n; ++j) {
    float* const at = lanes + slot[j] * kSlotFloats;
    for (size_t r = 0; r < kLanes; ++r) {
      at[first + r] = row[r][j].re;
      at[second + r] = row[r][j].im;
    }
  }
}

void store_rows(size_t rows, size_t n, const float* lanes, const uint32_t* slot, bool swap, float scale, c32* out, size_t stride) {
  const size_t first = swap ? kLanes : 0, second = kLanes - first;
  size_t j = 0;
  for (; j + kHalf <= n; j += kHalf) {
    wide v[kLanes];
    for (size_t q = 0; q < kHalf; ++q) {
      const float* const at = lanes + slot[j + q] * kSlotFloats;
      v[2 * q] = load(at + first) * scale;
      v[2 * q + 1] = load(at + second) * scale;
    }
    transpose(v);
    if (rows == kLanes)
      for (size_t r = 0; r < kLanes; ++r) store(out + r * stride + j, v[r]);
    else
      for (size_t r = 0; r < rows; ++r) store(out + r * stride + j, v[r]);
  }
  for (; j < n; ++j) {
    const float* const at = lanes + slot[j] * kSlotFloats;
    for (size_t r = 0; r < rows; ++r) out[r * stride + j] = {at[first + r] * scale, at[second + r] * scale};
  }
}

// Columns keep the order in which Even and Odd leave them: lane order differs from column order, and store_columns undoes it.
inline Lane split(wide a, wide b, bool swap) {
  const wide even = shuffle<Even>(a, b), odd = shuffle<Odd>(a, b);
  return swap ? Lane{odd, even} : Lane{even, odd};
}
inline void join(const Lane& x, bool swap, wide& a, wide& b) {
  wide even = swap ? x.im : x.re;
  wide odd = swap ? x.re : x.im;
  a = shuffle<ZipLow>(even, odd);
  b = shuffle<ZipHigh>(even, odd);
}

void load_columns(size_t columns, size_t n, const c32* in, size_t stride, const uint32_t* slot, bool swap, float* lanes) {
  Lane* const to = lanes_at(lanes);
  if (columns == kLanes) {
    for (size_t j = 0; j < n; ++j, in += stride) to[slot[j]] = split(load(in), load(in + kHalf), swap);
    return;
  }
  alignas(64) c32 line[kLanes] = {};
  for (size_t j = 0; j < n; ++j, in += stride) {
    for (size_t c = 0; c < columns; ++c) line[c] = in[c];
    to[slot[j]] = split(load(line), load(line + kHalf), swap);
  }
}

void store_columns(size_t columns, size_t n, const float* lanes, const uint32_t* slot, bool swap, float scale, c32* out, size_t stride) {
  const Lane* const from = lanes_at(lanes);
  alignas(64) c32 line[kLanes];
  for (size_t j = 0; j < n; ++j, out += stride) {
    wide a, b;
    join(from[slot[j]] * scale, swap, a, b);
    if (columns == kLanes) {
      store(out, a);
      store(out + kHalf, b);
    } else {
      store(line, a);
      store(line + kHalf, b);
      for (size_t c = 0; c < columns; ++c) out[c] = line[c];
    }
  }
}
