// Pointwise work on lane buffers between the transforms of the encoding operator.

void load_planes(size_t rows, size_t n, const float* re, const float* im, size_t stride, const uint32_t* slot, float* lanes) {
  const auto offset = [&](size_t r) { return (r < rows ? r : 0) * stride; };
  const float* const planes[2] = {re, im};
  for (size_t part = 0; part < 2; ++part) {
    const float* const plane = planes[part];
    float* const to = lanes + part * kLanes;
    size_t j = 0;
    for (; j + kLanes <= n; j += kLanes) {
      wide v[kLanes];
      for (size_t r = 0; r < kLanes; ++r) v[r] = load(plane + offset(r) + j);
      transpose(v);
      for (size_t q = 0; q < kLanes; ++q) store(to + slot[j + q] * kSlotFloats, v[q]);
    }
    for (; j < n; ++j)
      for (size_t r = 0; r < kLanes; ++r) to[slot[j] * kSlotFloats + r] = plane[offset(r) + j];
  }
}

void store_planes(size_t rows, size_t n, const float* lanes, const uint32_t* slot, float* re, float* im, size_t stride) {
  float* const planes[2] = {re, im};
  for (size_t part = 0; part < 2; ++part) {
    float* const plane = planes[part];
    const float* const from = lanes + part * kLanes;
    size_t j = 0;
    for (; j + kLanes <= n; j += kLanes) {
      wide v[kLanes];
      for (size_t q = 0; q < kLanes; ++q) v[q] = load(from + slot[j + q] * kSlotFloats);
      transpose(v);
      for (size_t r = 0; r < rows; ++r) store(plane + r * stride + j, v[r]);
    }
    for (; j < n; ++j)
      for (size_t r = 0; r < rows; ++r) plane[r * stride + j] = from[slot[j] * kSlotFloats + r];
  }
}

void multiply_lanes(size_t n, bool accumulate, const float* a, const float* b, float* out) {
  const Lane *const x = lanes_at(a), *const y = lanes_at(b);
  Lane* const z = lanes_at(out);
  for (size_t j = 0; j < n; ++j) {
    const Lane product = {x[j].re * y[j].re - x[j].im * y[j].im, x[j].im * y[j].re + x[j].re * y[j].im};
    z[j] = accumulate ? z[j] + product : product;
  }
}

void add_conjugate_product(size_t n, const float* map, const float* x, float* sum) {
  const Lane *const a = lanes_at(map), *const b = lanes_at(x);
  Lane* const z = lanes_at(sum);
  for (size_t j = 0; j < n; ++j) {
    const Lane v = swapped(b[j]);
    z[j] = z[j] + Lane{a[j].re * v.re + a[j].im * v.im, a[j].re * v.im - a[j].im * v.re};
  }
}

void weigh_rows(size_t n, const float* weight, const uint32_t* slot, float* lanes) {
  Lane* const x = lanes_at(lanes);
  for (size_t k = 0; k < n; ++k) x[slot[k]] = swapped(x[slot[k]]) * weight[k];
}

struct ColumnOrder {  // the lane order that split() gives the columns
  static constexpr int at(int i) { return i / 4 * 2 + (i & 1) + (i & 2 ? kN / 2 : 0); }
};

void weigh_columns(size_t n, const float* weight, size_t stride, const uint32_t* slot, float* lanes) {
  Lane* const x = lanes_at(lanes);
  for (size_t k = 0; k < n; ++k, weight += stride) {
    const wide w = load(weight);
    const wide ordered = shuffle<ColumnOrder>(w, w);
    Lane& at = x[slot[k]];
    at = {at.im * ordered, at.re * ordered};
  }
}
