// The optimiser's step and the vectors' arithmetic.
#include "checks.h"
#include "core/network.h"
#include "values.h"

namespace larmor::gpu_check {
namespace {

void check_adam(Checks& checks, size_t count) {
  const Device& device = checks.device;
  const Floats gradient = noise(count, 40), parameters = noise(count, 41), m = noise(count, 42);
  Floats v = noise(count, 43);
  for (float& value : v) value = value * value + 0.01f;
  Floats p1 = parameters, m1 = m, v1 = v;
  adam_step(checks.cpu, count, {.learning_rate = 1e-2, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .step = 7}, gradient.data(), p1.data(), m1.data(), v1.data());
  const LarmorCudaAdam options{.learning_rate = 1e-2, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .step = 7};
  const Array slopes(device, gradient), at(device, count), first(device, count), second(device, count);
  checks.compare("adam", std::to_string(count), {{at, p1}, {first, m1}, {second, v1}}, [&] {
    at.set(parameters);
    first.set(m);
    second.set(v);
    device.call("adam", device->adam, &options, count, at, slopes, first, second);
  });
}

void check_arithmetic(Checks& checks, size_t count) {
  const Device& device = checks.device;
  const Floats x = noise(count, 44), y = noise(count, 45);
  Floats scaled(count), added(count), approached(count);
  double squares = 0;
  for (size_t i = 0; i < count; ++i) {
    squares += static_cast<double>(x[i]) * x[i];
    scaled[i] = 0.3f * y[i];
    added[i] = y[i] - 1.7f * x[i];
    approached[i] = y[i] + 0.1f * (x[i] - y[i]);
  }
  const Array from(device, x), to(device, count), sum(device, 1);
  const std::string what = std::to_string(count);
  checks.compare("squared_norm", what, {{sum, {static_cast<float>(squares)}}}, [&] { device.call("squared_norm", device->squared_norm, count, from, sum); });
  checks.compare("scale", what, {{to, scaled}}, [&] {
    to.set(y);
    device.call("scale", device->scale, count, 0.3f, to);
  });
  checks.compare("add_scaled", what, {{to, added}}, [&] {
    to.set(y);
    device.call("add_scaled", device->add_scaled, count, -1.7f, from, to);
  });
  checks.compare("approach", what, {{to, approached}}, [&] {
    to.set(y);
    device.call("approach", device->approach, count, 0.1f, from, to);
  });
  checks.compare("fill_zero", what, {{to, Floats(count)}}, [&] { device.call("fill_zero", device->fill_zero, to, count * sizeof(float)); });
}

}  // namespace

void check_vectors(Checks& checks) {
  for (const Planes& size : checks.sizes.planes) {
    const size_t count = size_t{9} * size.ci * size.co + size.width;
    check_adam(checks, count);
    check_arithmetic(checks, size.points() * size.ci + 1);
  }
}

}  // namespace larmor::gpu_check
