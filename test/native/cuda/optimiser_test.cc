// Adam and the gradient of pooling on the device against the processor's.
#include "core/network.h"
#include "network_on_device.h"

namespace {

using namespace larmor;
using namespace larmor::test;

void adam_steps(const OnDevice& device) {
  constexpr size_t kLength = 70'003;
  Floats parameters = values<float>(kLength, 1), first(kLength), second(kLength);
  const DeviceArray<float> p(device, parameters), m(device, first), v(device, second);
  for (uint64_t step = 1; step <= 3; ++step) {
    const Floats gradient = values<float>(kLength, 1 + step);
    const DeviceArray<float> g(device, gradient);
    const LarmorCudaAdam options{.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .step = step};
    SUCCEED(cuda().adam(device, &options, kLength, p, g, m, v));
    adam_step(Serial{}, kLength, {.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .step = step}, gradient.data(),
              parameters.data(), first.data(), second.data());
  }
  CHECK_CLOSE(relative_error(p.get(), parameters), 0, 1e-7);
  CHECK_CLOSE(relative_error(m.get(), first), 0, 1e-6);
  CHECK_CLOSE(relative_error(v.get(), second), 0, 1e-6);
}

void pooling_gradients(const OnDevice& device) {
  struct Case {
    size_t planes;
    uint32_t height, width;
  };
  for (const Case& c : {Case{1, 1, 1}, Case{2, 5, 7}, Case{3, 4, 70}, Case{9, 1, 4}, Case{2, 3, 1}}) {
    const Floats dy = values<float>(c.planes * (c.height / 2) * (c.width / 2), 5);
    Floats want(c.planes * c.height * c.width);
    average_pool2x2_gradient(Serial{}, c.planes, c.height, c.width, dy.data(), want.data());
    const DeviceArray<float> in(device, dy), out(device, want.size());
    SUCCEED(cuda().average_pool2x2_gradient(device, c.planes, c.height, c.width, in, out));
    CHECK(out.get() == want);
  }
}

void refusals(const OnDevice& device) {
  const DeviceArray<float> a(device, 4);
  LarmorCudaAdam options{.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .step = 0};
  FAIL_WITH(cuda().adam(device, nullptr, 4, a, a, a, a), LARMOR_CUDA_ARGUMENT, "adam: options must not be null");
  FAIL_WITH(cuda().adam(device, &options, 4, a, a, a, a), LARMOR_CUDA_ARGUMENT, "options.step must be at least 1, got 0");
  options.step = 1;
  FAIL_WITH(cuda().adam(device, &options, 4, a, a, a, nullptr), LARMOR_CUDA_ARGUMENT, "device_v must not be null");
  SUCCEED(cuda().adam(device, &options, 0, nullptr, nullptr, nullptr, nullptr));
  FAIL_WITH(cuda().average_pool2x2_gradient(device, 1, 2, 2, nullptr, a), LARMOR_CUDA_ARGUMENT, "device_dy must not be null");
  FAIL_WITH(cuda().average_pool2x2_gradient(device, 0, 2, 2, a, a), LARMOR_CUDA_ARGUMENT, "planes must be at least 1");
  FAIL_WITH(cuda().average_pool2x2_gradient(device, uint64_t{1} << 40, 2, 2, a, a), LARMOR_CUDA_ARGUMENT, "planes * height must be at most");
}

}  // namespace

int main() {
  const OnDevice device;
  adam_steps(device);
  pooling_gradients(device);
  refusals(device);
  return finish();
}
