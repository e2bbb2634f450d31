// The vector updates of the accelerated proximal gradient method, each one pass; sums in double.

void descend(size_t n, float step, const float* z, const float* product, const float* right, float* x) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(x + i, load(z + i) - step * (load(product + i) - load(right + i)));
  for (; i < n; ++i) x[i] = z[i] - step * (product[i] - right[i]);
}

MomentumSums momentum_sums(size_t n, const float* z, const float* x, const float* previous) {
  DoubleSum ascent, change, size;
  MomentumSums rest{};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const wide at = load(x + i), difference = at - load(previous + i);
    ascent.add_product(load(z + i) - at, difference);
    change.add_product(difference, difference);
    size.add_product(at, at);
  }
  for (; i < n; ++i) {
    const double difference = x[i] - previous[i];
    rest.ascent += (z[i] - x[i]) * difference;
    rest.change += difference * difference;
    rest.size += static_cast<double>(x[i]) * x[i];
  }
  return {ascent.total() + rest.ascent, change.total() + rest.change, size.total() + rest.size};
}

void extrapolate(size_t n, float beta, const float* x, const float* previous, float* z) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const wide at = load(x + i);
    store(z + i, at + beta * (at - load(previous + i)));
  }
  for (; i < n; ++i) z[i] = x[i] + beta * (x[i] - previous[i]);
}
