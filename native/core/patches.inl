// Inner loops over k-space patches: their correlation, and the sums that fill holes from their neighbours.

/// Adds to sum[s] the products a[i] conj(b[i + s]) for `count` shifts at once: a is loaded once for all of them.
template <size_t count>
inline void correlate_shifts(size_t n, const double* ar, const double* ai, const double* br, const double* bi, double* re, double* im) {
  wide_double sr[count] = {}, si[count] = {};
  double tr[count] = {}, ti[count] = {};
  size_t i = 0;
  for (; i + kDoubles <= n; i += kDoubles) {
    const wide_double xr = load(ar + i), xi = load(ai + i);
    for (size_t s = 0; s < count; ++s) {
      const wide_double yr = load(br + i + s), yi = load(bi + i + s);
      sr[s] += xr * yr + xi * yi;
      si[s] += xi * yr - xr * yi;
    }
  }
  for (; i < n; ++i)
    for (size_t s = 0; s < count; ++s) {
      tr[s] += ar[i] * br[i + s] + ai[i] * bi[i + s];
      ti[s] += ai[i] * br[i + s] - ar[i] * bi[i + s];
    }
  for (size_t s = 0; s < count; ++s) {
    re[s] = tr[s] + sum_lanes(sr[s]);
    im[s] = ti[s] + sum_lanes(si[s]);
  }
}

void correlate(size_t n, size_t shifts, const double* ar, const double* ai, const double* br, const double* bi, double* re, double* im) {
  // Sums of five shifts fit the registers of every instruction set.
  constexpr auto most = correlate_shifts<5>;
  constexpr decltype(most) rest[] = {nullptr, correlate_shifts<1>, correlate_shifts<2>, correlate_shifts<3>, correlate_shifts<4>};
  size_t s = 0;
  for (; s + 5 <= shifts; s += 5) most(n, ar, ai, br + s, bi + s, re + s, im + s);
  if (s < shifts) rest[shifts - s](n, ar, ai, br + s, bi + s, re + s, im + s);
}

/// `count` coils at once: each neighbour is loaded once for all of them.
template <size_t count>
inline void combine_tile(size_t entries, size_t stride, const size_t* offset, const float* re, const float* im, const float* weights, float* out) {
  wide sr[count] = {}, si[count] = {};
  for (size_t e = 0; e < entries; ++e, weights += stride) {
    const wide xr = load(re + offset[e]), xi = load(im + offset[e]);
    for (size_t c = 0; c < count; ++c) {
      const float wr = weights[2 * c], wi = weights[2 * c + 1];
      sr[c] += wr * xr - wi * xi;
      si[c] += wr * xi + wi * xr;
    }
  }
  for (size_t c = 0; c < count; ++c) {
    store(out + 2 * c * kLanes, sr[c]);
    store(out + (2 * c + 1) * kLanes, si[c]);
  }
}

void combine_neighbours(size_t entries, size_t coils, const size_t* offset, const float* re, const float* im, const float* weights, float* out) {
  size_t c = 0;
  for (; c + 4 <= coils; c += 4) combine_tile<4>(entries, 2 * coils, offset, re, im, weights + 2 * c, out + 2 * c * kLanes);
  for (; c < coils; ++c) combine_tile<1>(entries, 2 * coils, offset, re, im, weights + 2 * c, out + 2 * c * kLanes);
}
