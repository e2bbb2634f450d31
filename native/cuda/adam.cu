// One Adam update, rounded as core/adam.inl.
#include <cmath>

#include "cuda/context.h"
#include "cuda/device.h"
#include "cuda/entries.h"
#include "cuda/network_arguments.h"

namespace larmor::cuda {
namespace {

/// The factors of one step: the corrections of the moments are powers, taken once in double on the host.
struct Coefficients {
  float beta1, one_minus_beta1, beta2, one_minus_beta2, step_size, second_correction, epsilon;
};

__global__ void adam_kernel(uint64_t count, Coefficients k, float* parameters, const float* gradient, float* first, float* second) {
  for (uint64_t i = global_index(); i < count; i += global_threads()) {
    const float g = gradient[i];
    const float m = first[i] * k.beta1 + g * k.one_minus_beta1;
    const float v = second[i] * k.beta2 + g * g * k.one_minus_beta2;
    first[i] = m;
    second[i] = v;
    parameters[i] -= k.step_size * (m / (sqrtf(v) / k.second_correction + k.epsilon));
  }
}

}  // namespace

LarmorCudaStatus adam(LarmorCudaContext* context, const LarmorCudaAdam* options, uint64_t count, float* device_parameters,
                      const float* device_gradient, float* device_m, float* device_v) {
  return on_context("adam", context, [&](Context& c) {
    require(options != nullptr, "options must not be null");
    require(options->step > 0, "options.step must be at least 1, got 0");
    if (count == 0) return;
    require_arrays({{"device_parameters", device_parameters}, {"device_gradient", device_gradient}, {"device_m", device_m}, {"device_v", device_v}});
    const double step = static_cast<double>(options->step);
    const Coefficients k{.beta1 = static_cast<float>(options->beta1),
                         .one_minus_beta1 = static_cast<float>(1 - options->beta1),
                         .beta2 = static_cast<float>(options->beta2),
                         .one_minus_beta2 = static_cast<float>(1 - options->beta2),
                         .step_size = static_cast<float>(options->learning_rate / (1 - std::pow(options->beta1, step))),
                         .second_correction = static_cast<float>(std::sqrt(1 - std::pow(options->beta2, step))),
                         .epsilon = static_cast<float>(options->epsilon)};
    launch("adam", adam_kernel, dim3(blocks_for(count, kBlock)), dim3(kBlock), 0, c.stream(), count, k, device_parameters, device_gradient, device_m,
           device_v);
  });
}

}  // namespace larmor::cuda
