// The vector type of one instruction set: kLanes floats in a register. Arithmetic on it is element by element.

typedef float wide __attribute__((vector_size(4 * kLanes)));
typedef float unaligned_wide __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));

inline wide load(const float* p) { return *reinterpret_cast<const unaligned_wide*>(p); }
inline void store(float* p, wide v) { *reinterpret_cast<unaligned_wide*>(p) = v; }
inline wide broadcast(float value) { return value - wide{}; }

/// Sum of the lanes in double, in lane order.
inline double sum_lanes(wide v) {
  double total = 0;
  for (size_t i = 0; i < kLanes; ++i) total += v[i];
  return total;
}
