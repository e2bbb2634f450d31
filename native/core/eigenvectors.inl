// Leading eigenvectors of one small Hermitian matrix per pixel, kLanes pixels side by side.

/// w = M v of one tile: matrices packed as in leading_eigenvectors, v and w [coils, 2, kLanes].
inline void multiply_tile(size_t coils, const float* matrix, const float* v, float* w) {
  for (size_t c = 0; c < coils; ++c) {
    const float* row = matrix + c * c * kLanes;
    wide rr = {}, ii = {}, ri = {}, ir = {};
    for (size_t d = 0; d < c; ++d, row += 2 * kLanes) {
      const wide mr = load(row), mi = load(row + kLanes);
      const wide xr = load(v + 2 * d * kLanes), xi = load(v + (2 * d + 1) * kLanes);
      rr += mr * xr;
      ii += mi * xi;
      ri += mr * xi;
      ir += mi * xr;
    }
    wide wr = rr - ii, wi = ri + ir;
    const wide diagonal = load(row);
    rr = diagonal * load(v + 2 * c * kLanes);
    ri = diagonal * load(v + (2 * c + 1) * kLanes);
    ii = ir = wide{};
    for (size_t d = c + 1; d < coils; ++d) {  // conjugate of entry (d, c)
      const float* const entry = matrix + (d * d + 2 * c) * kLanes;
      const wide mr = load(entry), mi = load(entry + kLanes);
      const wide xr = load(v + 2 * d * kLanes), xi = load(v + (2 * d + 1) * kLanes);
      rr += mr * xr;
      ii += mi * xi;
      ri += mr * xi;
      ir += mi * xr;
    }
    store(w + 2 * c * kLanes, wr + rr + ii);
    store(w + (2 * c + 1) * kLanes, wi + ri - ir);
  }
}

/// w -= u (u^H w) / (u^H u)
inline void deflate_tile(size_t coils, const float* u, float* w) {
  wide uu = {}, re = {}, im = {};
  for (size_t c = 0; c < coils; ++c, u += 2 * kLanes, w += 2 * kLanes) {
    const wide ur = load(u), ui = load(u + kLanes), wr = load(w), wi = load(w + kLanes);
    uu += ur * ur + ui * ui;
    re += ur * wr + ui * wi;
    im += ur * wi - ui * wr;
  }
  const wide safe = uu > 0 ? uu : broadcast(1);
  re /= safe;
  im /= safe;
  for (size_t c = 0; c < coils; ++c) {
    u -= 2 * kLanes;
    w -= 2 * kLanes;
    const wide ur = load(u), ui = load(u + kLanes);
    store(w, load(w) - (ur * re - ui * im));
    store(w + kLanes, load(w + kLanes) - (ur * im + ui * re));
  }
}

void leading_eigenvectors(size_t pixels, size_t points, size_t coils, size_t sets, size_t iterations, float tolerance, const float* grid,
                          const float* weights, float* vectors, float* values, float* scratch) {
  const size_t length = 2 * coils * kLanes;
  float* const matrix = scratch;
  float* const w = matrix + coils * coils * kLanes;
  float* const v = w + length;  // one vector per set
  for (size_t x = 0; x < pixels; x += kLanes) {
    for (size_t e = 0; e < coils * coils; ++e) {
      wide sum = {};
      for (size_t g = 0; g < points; ++g) sum += grid[e * points + g] * load(weights + g * pixels + x);
      store(matrix + e * kLanes, sum);
    }
    for (size_t i = 0; i < sets * 2 * coils; ++i) store(v + i * kLanes, load(vectors + i * pixels + x));
    for (size_t s = 0; s < sets; ++s) store(values + s * pixels + x, wide{});
    for (size_t iteration = 0; iteration < iterations; ++iteration) {
      bool converged = true;
      for (size_t s = 0; s < sets; ++s) {  // orthogonal iteration: later vectors leave the span of the earlier ones
        float* const u = v + s * length;
        multiply_tile(coils, matrix, u, w);
        for (size_t p = 0; p < s; ++p) deflate_tile(coils, v + p * length, w);
        wide uu = {}, uw = {};
        for (size_t i = 0; i < length; i += kLanes) {
          const wide a = load(u + i), b = load(w + i);
          uu += a * a;
          uw += a * b;
        }
        const wide value = uu > 0 ? uw / uu : wide{};  // Rayleigh quotient
        // Dividing by it keeps the vector's length without a square root; where it vanishes there is nothing to follow.
        const wide scale = value > 1e-20f ? 1 / value : wide{};
        wide residual = {};
        for (size_t i = 0; i < length; i += kLanes) {
          const wide a = load(u + i), next = load(w + i) * scale, difference = next - a;
          residual += difference * difference;
          store(u + i, scale > 0 ? next : a);
        }
        store(values + s * pixels + x, value);
        const wide bound = tolerance * tolerance * uu;
        for (size_t lane = 0; lane < kLanes; ++lane) converged = converged && !(residual[lane] > bound[lane] && scale[lane] > 0);
      }
      if (converged) break;
    }
    for (size_t i = 0; i < sets * 2 * coils; ++i) store(vectors + i * pixels + x, load(v + i * kLanes));
  }
}
