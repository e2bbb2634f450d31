// Adam over one flat array, split into blocks of fixed size.
#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/kernels.h"
#include "core/network.h"

namespace larmor {
namespace {

constexpr size_t kBlock = 1 << 16;  // floats per task: long against the cost of starting one

template <class F>
void for_blocks(const Parallel& parallel, size_t length, F&& body) {
  parallel((length + kBlock - 1) / kBlock, [&](size_t i) { body(i * kBlock, std::min(kBlock, length - i * kBlock)); });
}

}  // namespace

void adam_step(const Parallel& parallel, size_t length, const AdamOptions& options, const float* gradient, float* parameter, float* first,
               float* second) {
  const double step = static_cast<double>(options.step);
  const AdamCoefficients coefficients{.beta1 = static_cast<float>(options.beta1),
                                      .one_minus_beta1 = static_cast<float>(1 - options.beta1),
                                      .beta2 = static_cast<float>(options.beta2),
                                      .one_minus_beta2 = static_cast<float>(1 - options.beta2),
                                      .step_size = static_cast<float>(options.learning_rate / (1 - std::pow(options.beta1, step))),
                                      .second_correction = static_cast<float>(std::sqrt(1 - std::pow(options.beta2, step))),
                                      .epsilon = static_cast<float>(options.epsilon)};
  for_blocks(parallel, length, [&](size_t begin, size_t size) {
    kernels().adam(size, coefficients, gradient + begin, parameter + begin, first + begin, second + begin);
  });
}

bool all_finite(const Parallel& parallel, size_t length, const float* x) {
  std::atomic<bool> finite{true};
  for_blocks(parallel, length, [&](size_t begin, size_t size) {
    if (!kernels().all_finite(size, x + begin)) finite.store(false, std::memory_order_relaxed);
  });
  return finite.load();
}

}  // namespace larmor
