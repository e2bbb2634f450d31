// Radix steps over lanes, in place. Decimation in time takes samples in slot order and leaves frequencies in natural order;
// decimation in frequency is its transpose: natural order in, slot order out. Only the forward transform exists: swapping real
// and imaginary parts on the way in and out turns it into the inverse.

inline Lane rotate(const Lane& x) { return {x.im, -x.re}; }  // -i x

/// The DFT of R samples in place.
template <size_t R>
struct Butterfly {  // odd primes: pairs j and R - j share their products
  static constexpr size_t kPairs = (R - 1) / 2;
  static void run(Lane (&x)[R], const c32* roots) {
    Lane sum[kPairs], difference[kPairs];
    for (size_t j = 0; j < kPairs; ++j) {
      sum[j] = x[j + 1] + x[R - 1 - j];
      difference[j] = rotate(x[j + 1] - x[R - 1 - j]);
    }
    const Lane zero = x[0];
    for (size_t j = 0; j < kPairs; ++j) x[0] = x[0] + sum[j];
    for (size_t k = 0; k < kPairs; ++k, roots += kPairs) {
      Lane even = zero + sum[0] * roots[0].re, odd = difference[0] * roots[0].im;
      for (size_t j = 1; j < kPairs; ++j) {
        even = even + sum[j] * roots[j].re;
        odd = odd + difference[j] * roots[j].im;
      }
      x[k + 1] = even + odd;
      x[R - 1 - k] = even - odd;
    }
  }
};
template <>
struct Butterfly<2> {
  static void run(Lane (&x)[2], const c32*) {
    const Lane a = x[0];
    x[0] = a + x[1];
    x[1] = a - x[1];
  }
};
template <>
struct Butterfly<4> {
  static void run(Lane (&x)[4], const c32*) {
    const Lane a = x[0] + x[2], b = x[0] - x[2], c = x[1] + x[3], d = rotate(x[1] - x[3]);
    x[0] = a + c;
    x[1] = b + d;
    x[2] = a - c;
    x[3] = b - d;
  }
};
template <>
struct Butterfly<8> {
  static void run(Lane (&x)[8], const c32*) {
    constexpr float kHalfRoot = 0.70710678118654752f;
    Lane even[4] = {x[0] + x[4], x[1] + x[5], x[2] + x[6], x[3] + x[7]};
    const Lane b = x[1] - x[5], c = x[2] - x[6], d = x[3] - x[7];
    Lane odd[4] = {x[0] - x[4], (b + rotate(b)) * kHalfRoot, rotate(c), (rotate(d) - d) * kHalfRoot};
    Butterfly<4>::run(even, nullptr);
    Butterfly<4>::run(odd, nullptr);
    for (size_t k = 0; k < 4; ++k) {
      x[2 * k] = even[k];
      x[2 * k + 1] = odd[k];
    }
  }
};

enum class Decimation { kTime, kFrequency };

template <size_t R, Decimation D>
void radix_pass(size_t n, const FftPass& pass, Lane* data) {
  const size_t block = pass.block;
  for (Lane* group = data; group != data + n; group += R * block) {
    const c32* w = pass.twiddles;
    for (size_t j = 0; j < block; ++j, w += R - 1) {
      Lane* const at = group + j;
      Lane x[R];
      x[0] = at[0];
      for (size_t q = 1; q < R; ++q) x[q] = D == Decimation::kTime ? at[q * block] * w[q - 1] : at[q * block];
      Butterfly<R>::run(x, pass.roots);
      at[0] = x[0];
      for (size_t q = 1; q < R; ++q) at[q * block] = D == Decimation::kFrequency ? x[q] * w[q - 1] : x[q];
    }
  }
}

constexpr size_t kDensePairs = 48;  // of the largest prime that plans treat directly, 97

/// A prime radix beyond those unrolled: a dense product over the pairs, two frequencies at a time.
template <Decimation D>
void dense_pass(size_t n, const FftPass& pass, Lane* data) {
  const size_t radix = pass.radix, block = pass.block, pairs = (radix - 1) / 2;
  Lane sum[kDensePairs], difference[kDensePairs];
  for (Lane* group = data; group != data + n; group += radix * block) {
    const c32* w = pass.twiddles;
    for (size_t j = 0; j < block; ++j, w += radix - 1) {
      Lane* const at = group + j;
      const auto put = [&](size_t q, const Lane& x) { at[q * block] = D == Decimation::kFrequency ? x * w[q - 1] : x; };
      const Lane zero = at[0];
      for (size_t q = 1; q <= pairs; ++q) {
        Lane a = at[q * block], b = at[(radix - q) * block];
        if (D == Decimation::kTime) {
          a = a * w[q - 1];
          b = b * w[radix - q - 1];
        }
        sum[q - 1] = a + b;
        difference[q - 1] = rotate(a - b);
        at[0] = at[0] + sum[q - 1];
      }
      const c32* roots = pass.roots;
      size_t k = 1;
      for (; k < pairs; k += 2, roots += 2 * pairs) {
        Lane even0 = zero, even1 = zero, odd0 = {}, odd1 = {};
        for (size_t q = 0; q < pairs; ++q) {
          even0 = even0 + sum[q] * roots[q].re;
          odd0 = odd0 + difference[q] * roots[q].im;
          even1 = even1 + sum[q] * roots[pairs + q].re;
          odd1 = odd1 + difference[q] * roots[pairs + q].im;
        }
        put(k, even0 + odd0);
        put(radix - k, even0 - odd0);
        put(k + 1, even1 + odd1);
        put(radix - k - 1, even1 - odd1);
      }
      if (k == pairs) {
        Lane even = zero, odd = {};
        for (size_t q = 0; q < pairs; ++q) {
          even = even + sum[q] * roots[q].re;
          odd = odd + difference[q] * roots[q].im;
        }
        put(k, even + odd);
        put(radix - k, even - odd);
      }
    }
  }
}

template <Decimation D>
void run_pass(size_t n, const FftPass& pass, Lane* data) {
  switch (pass.radix) {
    case 2: return radix_pass<2, D>(n, pass, data);
    case 3: return radix_pass<3, D>(n, pass, data);
    case 4: return radix_pass<4, D>(n, pass, data);
    case 5: return radix_pass<5, D>(n, pass, data);
    case 7: return radix_pass<7, D>(n, pass, data);
    case 8: return radix_pass<8, D>(n, pass, data);
    case 11: return radix_pass<11, D>(n, pass, data);
    case 13: return radix_pass<13, D>(n, pass, data);
    default: return dense_pass<D>(n, pass, data);
  }
}

void run_time(const FftSteps& steps, Lane* data) {
  for (size_t t = 0; t < steps.passes; ++t) run_pass<Decimation::kTime>(steps.length, steps.pass[t], data);
}
void run_frequency(const FftSteps& steps, Lane* data) {
  for (size_t t = steps.passes; t-- > 0;) run_pass<Decimation::kFrequency>(steps.length, steps.pass[t], data);
}

inline Lane swapped(const Lane& x) { return {x.im, x.re}; }

/// Bluestein (IEEE Trans Audio Electroacoust 1970;18:451): the transform as a convolution with a chirp, by a longer transform.
void run_bluestein(const FftSteps& steps, Lane* data) {
  const FftSteps& inner = *steps.inner;
  Lane* const work = data + steps.length;
  for (size_t j = 0; j < steps.length; ++j) work[j] = data[j] * steps.chirp[j];
  for (size_t j = steps.length; j < inner.length; ++j) work[j] = Lane{};
  run_frequency(inner, work);
  for (size_t j = 0; j < inner.length; ++j) work[j] = swapped(work[j] * steps.spectrum[j]);
  run_time(inner, work);
  for (size_t j = 0; j < steps.length; ++j) data[j] = swapped(work[j]) * steps.chirp[j];
}

void fft_time(const FftSteps& steps, float* lanes) {
  if (steps.inner != nullptr)
    run_bluestein(steps, lanes_at(lanes));
  else
    run_time(steps, lanes_at(lanes));
}
void fft_frequency(const FftSteps& steps, float* lanes) {
  if (steps.inner != nullptr)
    run_bluestein(steps, lanes_at(lanes));
  else
    run_frequency(steps, lanes_at(lanes));
}
