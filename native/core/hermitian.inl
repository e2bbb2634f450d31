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
