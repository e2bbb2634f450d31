// Passes over vectors of the reference plugin: Adam, sums, averages. To be included by reference_plugin.cc.
#pragma once

LarmorCudaStatus add_scaled(LarmorCudaContext*, uint64_t count, float factor, const float* values, float* to) {
  for (uint64_t i = 0; i < count; ++i) to[i] += factor * values[i];
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus adam(LarmorCudaContext*, const LarmorCudaAdam* o, uint64_t count, float* parameters, const float* gradient, float* m, float* v) {
  const double c1 = 1 - std::pow(o->beta1, o->step), c2 = 1 - std::pow(o->beta2, o->step);
  for (uint64_t i = 0; i < count; ++i) {
    m[i] = static_cast<float>(o->beta1 * m[i] + (1 - o->beta1) * gradient[i]);
    v[i] = static_cast<float>(o->beta2 * v[i] + (1 - o->beta2) * gradient[i] * gradient[i]);
    parameters[i] = static_cast<float>(parameters[i] - o->learning_rate * (m[i] / c1) / (std::sqrt(v[i] / c2) + o->epsilon));
  }
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus squared_norm(LarmorCudaContext*, uint64_t count, const float* values, float* result) {
  double sum = 0;
  for (uint64_t i = 0; i < count; ++i) sum += double{values[i]} * values[i];
  *result = static_cast<float>(sum);
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus scale(LarmorCudaContext*, uint64_t count, float factor, float* values) {
  for (uint64_t i = 0; i < count; ++i) values[i] *= factor;
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus approach(LarmorCudaContext*, uint64_t count, float rate, const float* values, float* to) {
  for (uint64_t i = 0; i < count; ++i) to[i] += rate * (values[i] - to[i]);
  return LARMOR_CUDA_OK;
}
