// Double-precision kernels of the Hermitian eigendecomposition: planar matrices of which only the lower triangle is used.

typedef double wide_double __attribute__((vector_size(4 * kLanes)));
typedef double unaligned_wide_double __attribute__((vector_size(4 * kLanes), aligned(8), may_alias));
constexpr size_t kDoubles = kLanes / 2;

inline wide_double load(const double* p) { return *reinterpret_cast<const unaligned_wide_double*>(p); }
inline void store(double* p, wide_double v) { *reinterpret_cast<unaligned_wide_double*>(p) = v; }
inline double sum_lanes(wide_double v) {
  double total = 0;
  for (size_t i = 0; i < kDoubles; ++i) total += v[i];
  return total;
}

void complex_axpy(size_t n, double ar, double ai, const double* xr, const double* xi, double* yr, double* yi) {
  size_t i = 0;
  for (; i + kDoubles <= n; i += kDoubles) {
    const wide_double r = load(xr + i), m = load(xi + i);
    store(yr + i, load(yr + i) + ar * r - ai * m);
    store(yi + i, load(yi + i) + ar * m + ai * r);
  }
  for (; i < n; ++i) {
    const double r = xr[i], m = xi[i];
    yr[i] += ar * r - ai * m;
    yi[i] += ar * m + ai * r;
  }
}

void hermitian_multiply(size_t n, size_t stride, const double* ar, const double* ai, const double* ur, const double* ui, double* pr,
                        double* pi) {
  for (size_t i = 0; i < n; ++i, ar += stride, ai += stride) {
    // Row i times u into p[i], and its conjugate times u[i] into the p above: each entry is read once.
    const double vr = ur[i], vi = ui[i];
    wide_double sr = {}, si = {};
    double tr = ar[i] * vr, ti = ar[i] * vi;
    size_t j = 0;
    for (; j + kDoubles <= i; j += kDoubles) {
      const wide_double r = load(ar + j), m = load(ai + j), xr = load(ur + j), xi = load(ui + j);
      sr += r * xr - m * xi;
      si += r * xi + m * xr;
      store(pr + j, load(pr + j) + r * vr + m * vi);
      store(pi + j, load(pi + j) + r * vi - m * vr);
    }
    for (; j < i; ++j) {
      tr += ar[j] * ur[j] - ai[j] * ui[j];
      ti += ar[j] * ui[j] + ai[j] * ur[j];
      pr[j] += ar[j] * vr + ai[j] * vi;
      pi[j] += ar[j] * vi - ai[j] * vr;
    }
    pr[i] = tr + sum_lanes(sr);
    pi[i] = ti + sum_lanes(si);
  }
}

void hermitian_rank2(size_t n, size_t stride, const double* ur, const double* ui, const double* wr, const double* wi, double* ar,
                     double* ai) {
  for (size_t i = 0; i < n; ++i, ar += stride, ai += stride) {
    const double xr = ur[i], xi = ui[i], yr = wr[i], yi = wi[i];
    size_t j = 0;
    for (; j + kDoubles <= i + 1; j += kDoubles) {
      const wide_double pr = load(ur + j), pi = load(ui + j), qr = load(wr + j), qi = load(wi + j);
      store(ar + j, load(ar + j) - (xr * qr + xi * qi + yr * pr + yi * pi));
      store(ai + j, load(ai + j) - (xi * qr - xr * qi + yi * pr - yr * pi));
    }
    for (; j <= i; ++j) {
      ar[j] -= xr * wr[j] + xi * wi[j] + yr * ur[j] + yi * ui[j];
      ai[j] -= xi * wr[j] - xr * wi[j] + yi * ur[j] - yr * ui[j];
    }
  }
}

// Interleaved complex doubles, as Cholesky's rows are stored.

inline wide_double swap_pairs(wide_double v) {
  typedef long long indices __attribute__((vector_size(4 * kLanes)));
  indices other;
  for (size_t i = 0; i < kDoubles; ++i) other[i] = static_cast<long long>(i ^ 1);
  return __builtin_shuffle(v, other);
}

c64 complex_dot(size_t n, const c64* a, const c64* b) {
  const double *const x = &a->re, *const y = &b->re;
  wide_double straight[2] = {}, crossed[2] = {};  // re: the sum of all lanes; im: even lanes less odd ones
  size_t i = 0;
  for (; i + 2 * kDoubles <= 2 * n; i += 2 * kDoubles)
    for (size_t k = 0; k < 2; ++k) {
      const wide_double p = load(x + i + k * kDoubles), q = load(y + i + k * kDoubles);
      straight[k] += p * q;
      crossed[k] += swap_pairs(p) * q;
    }
  c64 sum{sum_lanes(straight[0] + straight[1]), 0};
  const wide_double both = crossed[0] + crossed[1];
  for (size_t k = 0; k < kDoubles; k += 2) sum.im += both[k] - both[k + 1];
  for (; i < 2 * n; i += 2) {
    sum.re += x[i] * y[i] + x[i + 1] * y[i + 1];
    sum.im += x[i + 1] * y[i] - x[i] * y[i + 1];
  }
  return sum;
}

void subtract_multiple(size_t n, c64 factor, const c64* a, c64* b) {
  const double* const x = &a->re;
  double* const y = &b->re;
  wide_double turned;
  for (size_t k = 0; k < kDoubles; k += 2) {
    turned[k] = -factor.im;
    turned[k + 1] = factor.im;
  }
  size_t i = 0;
  for (; i + kDoubles <= 2 * n; i += kDoubles) {
    const wide_double p = load(x + i);
    store(y + i, load(y + i) - (factor.re * p + turned * swap_pairs(p)));
  }
  for (; i < 2 * n; i += 2) {
    y[i] -= factor.re * x[i] - factor.im * x[i + 1];
    y[i + 1] -= factor.re * x[i + 1] + factor.im * x[i];
  }
}
