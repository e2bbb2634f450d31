// Adam over flat arrays: one pass reads the gradient and updates parameter and both moments.

bool all_finite(size_t n, const float* x) {
  unsigned infinite = 0;  // infinity and NaN have every exponent bit set
  for (size_t i = 0; i < n; ++i) {
    unsigned bits;
    __builtin_memcpy(&bits, x + i, sizeof bits);
    infinite |= (bits & 0x7f800000u) == 0x7f800000u ? 1u : 0u;
  }
  return infinite == 0;
}

void adam(size_t n, const AdamCoefficients& k, const float* gradient, float* parameter, float* first, float* second) {
  for (size_t i = 0; i < n; ++i) {
    const float g = gradient[i];
    const float m = first[i] * k.beta1 + g * k.one_minus_beta1;
    const float v = second[i] * k.beta2 + g * g * k.one_minus_beta2;
    first[i] = m;
    second[i] = v;
    parameter[i] -= k.step_size * (m / (__builtin_sqrtf(v) / k.second_correction + k.epsilon));
  }
}
