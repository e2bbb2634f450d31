// The residual of column lanes against measured samples.

typedef float half_wide __attribute__((vector_size(2 * kLanes)));
typedef double double_wide __attribute__((vector_size(4 * kLanes)));

template <int Start, int... I>
inline half_wide half(wide v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (Start + I)...);
}

/// A running sum of floats in double, lane by lane.
struct WideSum {
  double_wide low, high;

  void add(wide v) {
    low += __builtin_convertvector(half<0>(v, std::make_integer_sequence<int, kN / 2>{}), double_wide);
    high += __builtin_convertvector(half<kN / 2>(v, std::make_integer_sequence<int, kN / 2>{}), double_wide);
  }
  double total() const {
    double sum = 0;
    for (size_t i = 0; i < kHalf; ++i) sum += low[i] + high[i];
    return sum;
  }
};

inline wide absolute(wide v) { return v < 0 ? -v : v; }
/// -1, 0 or 1.
inline wide sign(wide v) { return __builtin_convertvector((v < 0) - (v > 0), wide); }

/// kHalf complex samples of `row`, at column[0], column[1], ...
inline wide gather(const c32* row, const uint32_t* column) {
  typedef double samples __attribute__((vector_size(4 * kLanes)));
  samples v;
  for (size_t i = 0; i < kHalf; ++i) __builtin_memcpy(&reinterpret_cast<char*>(&v)[8 * i], row + column[i], 8);
  return reinterpret_cast<wide>(v);
}

template <bool kAbsolute, bool kHeldOut>
void residual_of(size_t n, const ResidualColumns& columns, const uint32_t* slot, float* lanes, ResidualSums* sums) {
  Lane* const x = lanes_at(lanes);
  const auto magnitude = [](const Lane& v) { return kAbsolute ? absolute(v.re) + absolute(v.im) : v.re * v.re + v.im * v.im; };
  WideSum residual{}, reference{}, held_out_residual{}, held_out_reference{};
  for (size_t k = 0; k < n; ++k) {
    const c32* const row = columns.measured + k * columns.stride;
    const Lane y = split(gather(row, columns.column), gather(row, columns.column + kHalf), false);
    const wide weights = load(columns.weight + k * columns.weight_stride);
    const wide weight = shuffle<ColumnOrder>(weights, weights);
    const Lane predicted = x[slot[k]] * columns.scale;
    const Lane difference = predicted - y;
    const Lane weighted = {difference.re * weight, difference.im * weight};
    residual.add(magnitude(weighted));
    reference.add(magnitude({y.re * weight, y.im * weight}));
    if (kHeldOut) {
      const wide held = load(columns.held_out + k * columns.weight_stride);
      const wide h = shuffle<ColumnOrder>(held, held);
      held_out_residual.add(magnitude({difference.re * h, difference.im * h}));
      held_out_reference.add(magnitude({y.re * h, y.im * h}));
    }
    const wide factor = weight * columns.scale;
    x[slot[k]] = kAbsolute ? Lane{sign(weighted.im) * factor, sign(weighted.re) * factor} : Lane{weighted.im * factor, weighted.re * factor};
  }
  *sums = {residual.total(), reference.total(), held_out_residual.total(), held_out_reference.total()};
}

void column_residual(bool absolute, size_t n, const ResidualColumns& columns, const uint32_t* slot, float* lanes, ResidualSums* sums) {
  if (columns.held_out == nullptr)
    return absolute ? residual_of<true, false>(n, columns, slot, lanes, sums) : residual_of<false, false>(n, columns, slot, lanes, sums);
  return absolute ? residual_of<true, true>(n, columns, slot, lanes, sums) : residual_of<false, true>(n, columns, slot, lanes, sums);
}
