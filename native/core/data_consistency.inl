// Kernels between measured and predicted k-space.

void masked_residual(size_t coils, size_t n, const float* m, const c32* k, const c32* y, c32* r) {
  for (size_t c = 0; c < coils; ++c, k += n, y += n, r += n)
    for (size_t i = 0; i < n; ++i) r[i] = {m[i] * (k[i].re - y[i].re), m[i] * (k[i].im - y[i].im)};
}
