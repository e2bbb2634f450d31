// The vector updates of conjugate gradients, each one pass; sums in double.

/// Sums over the lanes in double: two halves, so that a vector of doubles fills a register.
struct DoubleSum {
  wide_double low = {}, high = {};
  void add_product(wide a, wide b) {
    const HalfPair x = split(a), y = split(b);
    low += x.low * y.low;
    high += x.high * y.high;
  }
  double total() const { return sum_lanes(low) + sum_lanes(high); }

 private:
  typedef float half __attribute__((vector_size(2 * kLanes)));
  struct HalfPair {
    wide_double low, high;
  };
  static HalfPair split(wide v) {
    half parts[2];
    __builtin_memcpy(parts, &v, sizeof v);
    return {__builtin_convertvector(parts[0], wide_double), __builtin_convertvector(parts[1], wide_double)};
  }
};

double add_scaled_dot(size_t n, float lambda, const float* p, float* q) {
  DoubleSum sum;
  double rest = 0;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const wide direction = load(p + i), product = load(q + i) + lambda * direction;
    store(q + i, product);
    sum.add_product(direction, product);
  }
  for (; i < n; ++i) {
    q[i] += lambda * p[i];
    rest += static_cast<double>(p[i]) * q[i];
  }
  return sum.total() + rest;
}

double gradient_step(size_t n, float alpha, const float* p, const float* q, float* x, float* r) {
  DoubleSum sum;
  double rest = 0;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    store(x + i, load(x + i) + alpha * load(p + i));
    const wide residual = load(r + i) - alpha * load(q + i);
    store(r + i, residual);
    sum.add_product(residual, residual);
  }
  for (; i < n; ++i) {
    x[i] += alpha * p[i];
    r[i] -= alpha * q[i];
    rest += static_cast<double>(r[i]) * r[i];
  }
  return sum.total() + rest;
}

void next_direction(size_t n, float beta, const float* r, float* p) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(p + i, load(r + i) + beta * load(p + i));
  for (; i < n; ++i) p[i] = r[i] + beta * p[i];
}
