// Products of small complex matrices with rows of many samples, in planes of real and imaginary parts: [row, (re, im), n].

void planar_gram(size_t rows, size_t n, const float* x, c64* gram) {
  for (size_t r = 0; r < rows; ++r)
    for (size_t s = 0; s <= r; ++s) {
      const float *const a = x + 2 * r * n, *const b = x + 2 * s * n;
      DoubleSum re, im, other_im;  // in double, as squares halve the digits of small singular values
      for (size_t i = 0; i < n; i += kLanes) {
        const wide ar = load(a + i), ai = load(a + n + i), br = load(b + i), bi = load(b + n + i);
        re.add_product(ar, br);
        re.add_product(ai, bi);
        im.add_product(ai, br);
        other_im.add_product(ar, bi);
      }
      gram[r * rows + s] = {re.total(), im.total() - other_im.total()};
    }
}

void planar_multiply(size_t rows, size_t inner, size_t n, const c32* matrix, const float* x, float* y) {
  for (size_t r = 0; r < rows; ++r, matrix += inner, y += 2 * n)
    for (size_t i = 0; i < n; i += kLanes) {
      wide re = {}, im = {};
      for (size_t k = 0; k < inner; ++k) {
        const wide xr = load(x + 2 * k * n + i), xi = load(x + (2 * k + 1) * n + i);
        re += matrix[k].re * xr - matrix[k].im * xi;
        im += matrix[k].re * xi + matrix[k].im * xr;
      }
      store(y + i, re);
      store(y + n + i, im);
    }
}
