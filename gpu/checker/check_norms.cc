// Instance normalisation with leaky ReLU, and its gradients: apart from their input, and in its memory, where ONNX Runtime may put results.
#include "checks.h"
#include "core/network.h"
#include "values.h"

namespace larmor::gpu_check {
namespace {

constexpr float kEpsilon = 1e-5f, kSlope = 0.2f;

/// Planes about an offset of their own, and no activation so near zero that rounding turns its sign, on which the gradients depend.
Floats planes_of(const Planes& size) {
  Floats x = away_from_zero(size.n * size.ci * size.points(), 20, 0.6f);
  const Floats offsets = away_from_zero(size.n * size.ci, 21, 0.5f);
  for (size_t i = 0; i < x.size(); ++i) x[i] += offsets[i / size.points()];
  return x;
}

void check_norm(Checks& checks, const Planes& size, bool affine) {
  const Device& device = checks.device;
  const size_t moments = size_t{size.n} * size.ci;
  const Floats x = planes_of(size), dy = noise(x.size(), 22);
  Floats scale = away_from_zero(size.ci, 23, 0.5f), bias = away_from_zero(size.ci, 24, 0.5f);
  for (float& value : bias) value *= 0.1f;
  const InstanceNorm norm{size.n, size.ci, size.points(), affine ? scale.data() : nullptr, affine ? bias.data() : nullptr, kSlope};
  Floats y(x.size()), mean(moments), inverse_deviation(moments), dx(x.size()), dscale(size.ci), dbias(size.ci);
  instance_norm_leaky_relu(checks.cpu, norm, kEpsilon, x.data(), y.data(), mean.data(), inverse_deviation.data());
  instance_norm_leaky_relu_gradient(checks.cpu, norm, dy.data(), x.data(), mean.data(), inverse_deviation.data(), dx.data(), dscale.data(), dbias.data());

  const Array from(device, x), slopes(device, dy), scales(device, scale), biases(device, bias), to(device, x.size()), means(device, moments), deviations(device, moments),
      dscales(device, size.ci), dbiases(device, size.ci);
  const LarmorCudaNorm on_device{.n = size.n, .channels = size.ci, .pixels = static_cast<uint32_t>(size.points()), .device_scale = affine ? static_cast<float*>(scales) : nullptr,
                                 .device_bias = affine ? static_cast<float*>(biases) : nullptr, .slope = kSlope};
  const std::string what = size.words() + (affine ? ", affine" : "");
  checks.compare("instance_norm", what, {{to, y}, {means, mean}, {deviations, inverse_deviation}},
                 [&] { device.call("instance_norm", device->instance_norm, &on_device, kEpsilon, from, to, means, deviations); });
  checks.compare("instance_norm", what + ", in place", {{to, y}, {means, mean}, {deviations, inverse_deviation}}, [&] {
    to.set(x);
    device.call("instance_norm", device->instance_norm, &on_device, kEpsilon, to, to, means, deviations);
  });
  means.set(mean);
  deviations.set(inverse_deviation);
  checks.compare("instance_norm_gradient", what, {{to, dx}, {dscales, dscale}, {dbiases, dbias}}, [&] {
    device.call("instance_norm_gradient", device->instance_norm_gradient, &on_device, slopes, from, means, deviations, to, dscales, dbiases);
  });
  checks.compare("instance_norm_gradient", what + ", in place", {{to, dx}, {dscales, dscale}, {dbiases, dbias}}, [&] {
    to.set(dy);
    device.call("instance_norm_gradient", device->instance_norm_gradient, &on_device, to, from, means, deviations, to, dscales, dbiases);
  });
  if (affine) return;
  instance_norm_leaky_relu_gradient_of_output(checks.cpu, norm, dy.data(), y.data(), inverse_deviation.data(), dx.data());
  const Array results(device, y);
  checks.compare("instance_norm_output_gradient", what, {{to, dx}}, [&] {
    device.call("instance_norm_output_gradient", device->instance_norm_output_gradient, &on_device, slopes, results, deviations, to);
  });
  checks.compare("instance_norm_output_gradient", what + ", in place", {{to, dx}}, [&] {
    to.set(dy);
    device.call("instance_norm_output_gradient", device->instance_norm_output_gradient, &on_device, to, results, deviations, to);
  });
}

}  // namespace

void check_norms(Checks& checks) {
  for (const Planes& size : checks.sizes.planes)
    for (const bool affine : {true, false}) check_norm(checks, size, affine);
}

}  // namespace larmor::gpu_check
