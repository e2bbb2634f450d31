// Fused normalisation with activation, and its gradient beside finite differences in double; bit-equality over thread counts.
#include "core/network.h"

#include <cmath>
#include <vector>

#include "check.h"
#include "floats.h"

namespace {

using namespace larmor;
using namespace larmor::test;

struct NormCase {
  size_t n, channels, pixels;
  bool affine;
  float slope;
};

/// The forward pass of one plane in double, optionally with x moved by `step` along `direction`; returns sum of weights * y.
double plane_forward(const NormCase& c, size_t plane, const std::vector<double>& x, double scale, double bias, double epsilon, const Floats& weights,
                     std::vector<double>* y) {
  const size_t begin = plane * c.pixels;
  double mean = 0, variance = 0, total = 0;
  for (size_t i = 0; i < c.pixels; ++i) mean += x[begin + i] / static_cast<double>(c.pixels);
  for (size_t i = 0; i < c.pixels; ++i) variance += (x[begin + i] - mean) * (x[begin + i] - mean) / static_cast<double>(c.pixels);
  for (size_t i = 0; i < c.pixels; ++i) {
    const double a = (x[begin + i] - mean) / std::sqrt(variance + epsilon) * scale + bias, out = a > 0 ? a : a * static_cast<double>(c.slope);
    if (y != nullptr) (*y)[begin + i] = out;
    total += out * weights[begin + i];
  }
  return total;
}

void test_norm(const NormCase& c) {
  constexpr float kEpsilon = 1e-5f;
  const size_t planes = c.n * c.channels, size = planes * c.pixels;
  const Floats x = random_floats(size, 1, 3), dy = random_floats(size, 2), scale = random_floats(c.channels, 3), bias = random_floats(c.channels, 4);
  const InstanceNorm norm{.n = c.n,
                          .channels = c.channels,
                          .pixels = c.pixels,
                          .scale = c.affine ? scale.data() : nullptr,
                          .bias = c.affine ? bias.data() : nullptr,
                          .slope = c.slope};
  const auto run = [&](int threads) {
    Floats y(size), mean(planes), deviation(planes), dx(size), dscale(c.channels), dbias(c.channels);
    instance_norm_leaky_relu(Pooled{threads}, norm, kEpsilon, x.data(), y.data(), mean.data(), deviation.data());
    instance_norm_leaky_relu_gradient(Pooled{threads}, norm, dy.data(), x.data(), mean.data(), deviation.data(), dx.data(), dscale.data(), dbias.data());
    Floats of_output = dy;
    if (!c.affine && c.slope > 0) instance_norm_leaky_relu_gradient_of_output(Pooled{threads}, norm, of_output.data(), y.data(), deviation.data(), of_output.data());
    return std::vector<Floats>{y, mean, deviation, dx, dscale, dbias, of_output};
  };
  const std::vector<Floats> got = run(1), again = run(3);
  for (size_t i = 0; i < got.size(); ++i) CHECK(bit_equal(got[i], again[i]));

  const std::vector<double> exact(x.begin(), x.end());
  std::vector<double> y(size), dx(size), dscale(c.channels), dbias(c.channels);
  const auto loss = [&](size_t plane, const std::vector<double>& at, double scale_step, double bias_step, std::vector<double>* out) {
    const size_t channel = plane % c.channels;
    const double s = (c.affine ? scale[channel] : 1) + scale_step, b = (c.affine ? bias[channel] : 0) + bias_step;
    return plane_forward(c, plane, at, s, b, static_cast<double>(kEpsilon), dy, out);
  };
  // Central differences of sum(dy * y) in double; x moves by less than what separates any value from the kink of the activation.
  constexpr double kStep = 1e-6;
  std::vector<double> moved = exact;
  for (size_t plane = 0; plane < planes; ++plane) {
    loss(plane, exact, 0, 0, &y);
    for (size_t i = plane * c.pixels; i < (plane + 1) * c.pixels && c.pixels <= 100; ++i) {
      moved[i] = exact[i] + kStep;
      const double above = loss(plane, moved, 0, 0, nullptr);
      moved[i] = exact[i] - kStep;
      dx[i] = (above - loss(plane, moved, 0, 0, nullptr)) / (2 * kStep);
      moved[i] = exact[i];
    }
    dscale[plane % c.channels] += (loss(plane, exact, kStep, 0, nullptr) - loss(plane, exact, -kStep, 0, nullptr)) / (2 * kStep);
    dbias[plane % c.channels] += (loss(plane, exact, 0, kStep, nullptr) - loss(plane, exact, 0, -kStep, nullptr)) / (2 * kStep);
  }
  CHECK_CLOSE(relative_error(got[0], y), 0, 1e-5);
  if (c.pixels > 1 && c.pixels <= 100) {
    CHECK_CLOSE(relative_error(got[3], dx), 0, 1e-4);
    if (!c.affine && c.slope > 0) CHECK_CLOSE(relative_error(got[6], dx), 0, 1e-4);
  }
  CHECK_CLOSE(relative_error(got[4], dscale), 0, 1e-4);
  CHECK_CLOSE(relative_error(got[5], dbias), 0, 1e-4);
}

/// A large offset on a small deviation: naive sums of squares would lose every digit.
void test_moments_under_an_offset() {
  constexpr size_t kPixels = 20'001;
  Floats x(kPixels), y(kPixels), mean(1), deviation(1);
  for (size_t i = 0; i < kPixels; ++i) x[i] = 4096.0f + (i % 2 == 0 ? 0.5f : -0.5f);
  const InstanceNorm norm{.n = 1, .channels = 1, .pixels = kPixels, .scale = nullptr, .bias = nullptr, .slope = 0.2f};
  instance_norm_leaky_relu(Serial{}, norm, 0, x.data(), y.data(), mean.data(), deviation.data());
  CHECK_CLOSE(mean[0], 4096, 1e-3);
  CHECK_CLOSE(deviation[0], 2, 1e-6);
}

}  // namespace

int main() {
  for (const NormCase& c : {NormCase{1, 1, 1, true, 0.2f}, NormCase{2, 3, 35, true, 0.2f}, NormCase{1, 5, 64, false, 0.0f}, NormCase{2, 4, 77, false, 0.2f}, NormCase{3, 2, 100, true, 1.0f},
                            NormCase{2, 2, 9'001, true, 0.2f}})
    test_norm(c);
  test_moments_under_an_offset();
  return finish();
}
