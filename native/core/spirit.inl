// SPIRiT in the image: one small Hermitian matrix per pixel, kLanes pixels side by side, in the lane order that split() gives them.

void consistency_matrices(size_t pixels, size_t coils, size_t kernel, const c32* row, const float* phases, float* matrices, float* scratch) {
  const size_t stride = (pixels + kLanes - 1) / kLanes * kLanes;
  float* const excess = scratch;  // G - I: [coils, coils, 2, kLanes]
  for (size_t x = 0; x < pixels; x += kLanes) {
    for (size_t pair = 0; pair < coils * coils; ++pair) {
      const c32* const coefficient = row + pair * kernel;
      wide re = broadcast(pair % (coils + 1) == 0 ? -1 : 0), im = {};
      for (size_t o = 0; o < kernel; ++o) {
        const wide pr = load(phases + 2 * o * stride + x), pi = load(phases + (2 * o + 1) * stride + x);
        re += coefficient[o].re * pr - coefficient[o].im * pi;
        im += coefficient[o].re * pi + coefficient[o].im * pr;
      }
      store(excess + 2 * pair * kLanes, shuffle<ColumnOrder>(re, re));
      store(excess + (2 * pair + 1) * kLanes, shuffle<ColumnOrder>(im, im));
    }
    for (size_t i = 0; i < coils; ++i)
      for (size_t j = 0; j <= i; ++j) {
        wide re = {}, im = {};
        for (size_t c = 0; c < coils; ++c) {  // conj(E[c][i]) E[c][j]
          const float *const a = excess + 2 * (c * coils + i) * kLanes, *const b = excess + 2 * (c * coils + j) * kLanes;
          const wide ar = load(a), ai = load(a + kLanes), br = load(b), bi = load(b + kLanes);
          re += ar * br + ai * bi;
          im += ar * bi - ai * br;
        }
        store(matrices, re);
        matrices += kLanes;
        if (j == i) continue;
        store(matrices, im);
        matrices += kLanes;
      }
  }
}

void multiply_pixels(size_t pixels, size_t coils, size_t stride, const float* matrices, c32* x, float* scratch) {
  float *const v = scratch, *const w = scratch + 2 * coils * kLanes;
  for (size_t p = 0; p < pixels; p += kLanes, matrices += coils * coils * kLanes) {
    const size_t width = pixels - p < kLanes ? pixels - p : kLanes;
    alignas(64) c32 line[kLanes] = {};
    for (size_t c = 0; c < coils; ++c) {
      const c32* from = x + c * stride + p;
      if (width < kLanes) {
        for (size_t i = 0; i < width; ++i) line[i] = from[i];
        from = line;
      }
      const Lane lane = split(load(from), load(from + kHalf), false);
      store(v + 2 * c * kLanes, lane.re);
      store(v + (2 * c + 1) * kLanes, lane.im);
    }
    multiply_tile(coils, matrices, v, w);
    for (size_t c = 0; c < coils; ++c) {
      c32* const to = x + c * stride + p;
      wide a, b;
      join({load(w + 2 * c * kLanes), load(w + (2 * c + 1) * kLanes)}, false, a, b);
      if (width == kLanes) {
        store(to, a);
        store(to + kHalf, b);
      } else {
        store(line, a);
        store(line + kHalf, b);
        for (size_t i = 0; i < width; ++i) to[i] = line[i];
      }
    }
  }
}
