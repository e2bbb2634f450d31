// Convolutions and pooling of networks, and their gradients.
#include <cmath>

#include "checks.h"
#include "core/network.h"
#include "values.h"

namespace larmor::gpu_check {
namespace {

/// Noise over the square root of the terms that a result adds up, so that results are about 1.
Floats weights_of(size_t count, size_t terms, uint64_t seed) {
  Floats weights = noise(count, seed);
  for (float& weight : weights) weight /= std::sqrt(static_cast<float>(terms));
  return weights;
}

/// The channels of n images in two arrays: the first `split` of each, and the others.
struct Halves {
  Floats first, second;
  Halves(const Floats& all, size_t n, size_t channels, size_t split, size_t points) {
    for (size_t i = 0; i < n * channels; ++i) {
      Floats& half = i % channels < split ? first : second;
      half.insert(half.end(), all.begin() + static_cast<ptrdiff_t>(i * points), all.begin() + static_cast<ptrdiff_t>((i + 1) * points));
    }
  }
};

void check_conv3x3(Checks& checks, const Planes& s, bool transposed) {
  const Device& device = checks.device;
  const size_t points = s.points();
  const Floats x = noise(s.n * s.ci * points, 30), weights = weights_of(size_t{9} * s.ci * s.co, size_t{9} * s.ci, 31);
  Floats y(s.n * s.co * points);
  conv3x3(checks.cpu, s.n, s.height, s.width, Channels<const float>{s.ci, x.data()}, weights.data(), transposed, Channels<float>{s.co, y.data()});
  const Array from(device, x), kernel(device, weights), to(device, y.size());
  const std::string what = s.words() + (transposed ? ", transposed" : "");
  checks.compare("conv3x3", what, {{to, y}}, [&] {
    device.call("conv3x3", device->conv3x3, s.n, s.ci, s.co, s.height, s.width, s.ci, transposed, from, nullptr, kernel, s.co, to, nullptr);
  });
  if (s.ci < 2 || s.co < 2) return;
  const uint32_t split = s.ci / 2, split_out = s.co / 2;
  const Halves in(x, s.n, s.ci, split, points), out(y, s.n, s.co, split_out, points);
  const Array first(device, in.first), second(device, in.second), to_first(device, out.first.size()), to_second(device, out.second.size());
  checks.compare("conv3x3", what + ", two arrays", {{to_first, out.first}, {to_second, out.second}}, [&] {
    device.call("conv3x3", device->conv3x3, s.n, s.ci, s.co, s.height, s.width, split, transposed, first, second, kernel, split_out, to_first, to_second);
  });
}

void check_weight_gradients(Checks& checks, const Planes& s) {
  const Device& device = checks.device;
  const size_t points = s.points();
  const Floats x = noise(s.n * s.ci * points, 32), dy = noise(s.n * s.co * points, 33);
  const Array from(device, x), slopes(device, dy);
  Floats dw(size_t{9} * s.ci * s.co);
  conv3x3_weight_gradient(checks.cpu, s.n, s.height, s.width, Channels<const float>{s.ci, x.data()}, Channels<const float>{s.co, dy.data()}, dw.data());
  const Array to(device, dw.size());
  checks.compare("conv3x3_weight_gradient", s.words(), {{to, dw}}, [&] {
    device.call("conv3x3_weight_gradient", device->conv3x3_weight_gradient, s.n, s.ci, s.co, s.height, s.width, s.ci, from, nullptr, slopes, to);
  });
  Floats single(size_t{s.ci} * s.co), bias(s.co);
  conv1x1_weight_gradient(checks.cpu, s.n, s.ci, s.co, points, x.data(), dy.data(), single.data(), bias.data());
  const Array to_single(device, single.size()), to_bias(device, bias.size());
  checks.compare("conv1x1_weight_gradient", s.words(), {{to_single, single}, {to_bias, bias}}, [&] {
    device.call("conv1x1_weight_gradient", device->conv1x1_weight_gradient, s.n, s.ci, s.co, points, from, slopes, to_single, to_bias);
  });
}

void check_transpose2x2(Checks& checks, const Planes& s) {
  const Device& device = checks.device;
  const Floats x = noise(s.n * s.ci * s.points(), 34), dy = noise(4 * s.n * s.co * s.points(), 35), weights = weights_of(size_t{4} * s.ci * s.co, s.ci, 36);
  Floats y(dy.size()), dx(x.size()), dw(weights.size());
  conv_transpose2x2(checks.cpu, s.n, s.ci, s.co, s.height, s.width, x.data(), weights.data(), y.data());
  conv_transpose2x2_input_gradient(checks.cpu, s.n, s.ci, s.co, s.height, s.width, dy.data(), weights.data(), dx.data());
  conv_transpose2x2_weight_gradient(checks.cpu, s.n, s.ci, s.co, s.height, s.width, x.data(), dy.data(), dw.data());
  const Array from(device, x), slopes(device, dy), kernel(device, weights), to(device, y.size()), back(device, dx.size()), gradient(device, dw.size());
  const auto call = [&](const char* name, auto entry, const Array& a, const Array& b, const Array& out) {
    device.call(name, entry, s.n, s.ci, s.co, s.height, s.width, a, b, out);
  };
  checks.compare("conv_transpose2x2", s.words(), {{to, y}}, [&] { call("conv_transpose2x2", device->conv_transpose2x2, from, kernel, to); });
  checks.compare("conv_transpose2x2_input_gradient", s.words(), {{back, dx}},
                 [&] { call("conv_transpose2x2_input_gradient", device->conv_transpose2x2_input_gradient, slopes, kernel, back); });
  checks.compare("conv_transpose2x2_weight_gradient", s.words(), {{gradient, dw}},
                 [&] { call("conv_transpose2x2_weight_gradient", device->conv_transpose2x2_weight_gradient, from, slopes, gradient); });
}

void check_pooling(Checks& checks, const Planes& s) {
  const Device& device = checks.device;
  const size_t planes = size_t{s.n} * s.ci;
  const Floats dy = noise(planes * (s.height / 2) * (s.width / 2), 37);
  Floats dx(planes * s.points());
  average_pool2x2_gradient(checks.cpu, planes, s.height, s.width, dy.data(), dx.data());
  const Array slopes(device, dy), back(device, dx.size());
  checks.compare("average_pool2x2_gradient", s.words(), {{back, dx}},
                 [&] { device.call("average_pool2x2_gradient", device->average_pool2x2_gradient, planes, s.height, s.width, slopes, back); });
}

}  // namespace

void check_convolutions(Checks& checks) {
  for (const Planes& size : checks.sizes.planes) {
    for (const bool transposed : {false, true}) check_conv3x3(checks, size, transposed);
    check_weight_gradients(checks, size);
    check_transpose2x2(checks, size);
    check_pooling(checks, size);
  }
}

}  // namespace larmor::gpu_check
