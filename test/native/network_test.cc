// Fused network kernels against plain loops in double, and bit-equality over thread counts.
#include "core/network.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "check.h"

namespace {

using namespace larmor;
using Floats = std::vector<float>;

Floats random_floats(size_t n, unsigned seed, float offset = 0) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(offset, 1);
  Floats values(n);
  for (float& v : values) v = normal(generator);
  return values;
}

/// ||got - want|| / ||want||.
double relative_error(const Floats& got, const std::vector<double>& want) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    difference += (got[i] - want[i]) * (got[i] - want[i]);
    norm += want[i] * want[i];
  }
  return std::sqrt(difference / (norm > 0 ? norm : 1));
}

/// An empty vector may have no address, which memcmp must not be given.
bool bit_equal(const Floats& a, const Floats& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

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

/// sum over (image, o, i, tap, pixel) of visit(x index, y index, weight index) for a 3x3 convolution with padding 1.
template <class F>
void for_each_product(size_t n, size_t ci, size_t co, size_t height, size_t width, F&& visit) {
  const auto h = static_cast<ptrdiff_t>(height), w = static_cast<ptrdiff_t>(width);
  for (size_t image = 0; image < n; ++image)
    for (size_t o = 0; o < co; ++o)
      for (size_t i = 0; i < ci; ++i)
        for (ptrdiff_t tap = 0; tap < 9; ++tap)
          for (ptrdiff_t r = 0; r < h; ++r)
            for (ptrdiff_t c = 0; c < w; ++c) {
              const ptrdiff_t rx = r + tap / 3 - 1, cx = c + tap % 3 - 1;
              if (rx < 0 || rx >= h || cx < 0 || cx >= w) continue;
              visit((image * ci + i) * height * width + static_cast<size_t>(rx * w + cx), (image * co + o) * height * width + static_cast<size_t>(r * w + c),
                    (o * ci + i) * 9 + static_cast<size_t>(tap));
            }
}

/// What run(threads) returns is near the sums in double, and the same for any thread count.
template <class Run>
void check_results(const Run& run, const std::vector<std::vector<double>>& want) {
  const std::vector<Floats> got = run(1), again = run(3);
  for (size_t i = 0; i < got.size(); ++i) {
    CHECK_CLOSE(relative_error(got[i], want[i]), 0, 2e-6);
    CHECK(bit_equal(got[i], again[i]));
  }
}

void test_conv(size_t n, size_t ci, size_t co, size_t height, size_t width) {
  const Floats x = random_floats(n * ci * height * width, 5), dy = random_floats(n * co * height * width, 6), weights = random_floats(co * ci * 9, 9);
  std::vector<double> y(dy.size()), dx(x.size()), dw(weights.size());
  for_each_product(n, ci, co, height, width, [&](size_t at_x, size_t at_y, size_t at_w) {
    y[at_y] += static_cast<double>(x[at_x]) * weights[at_w];
    dx[at_x] += static_cast<double>(dy[at_y]) * weights[at_w];
    dw[at_w] += static_cast<double>(dy[at_y]) * x[at_x];
  });
  const auto run = [&](int threads) {
    const Pooled parallel(threads);
    Floats got_y(y.size(), 7.0f), got_dx(dx.size(), 7.0f), got_dw(dw.size(), 7.0f);
    conv3x3(parallel, n, height, width, {ci, x.data()}, weights.data(), false, {co, got_y.data()});
    conv3x3(parallel, n, height, width, {co, dy.data()}, weights.data(), true, {ci, got_dx.data()});
    conv3x3_weight_gradient(parallel, n, height, width, {ci, x.data()}, {co, dy.data()}, got_dw.data());
    return std::vector<Floats>{got_y, got_dx, got_dw};
  };
  check_results(run, {y, dx, dw});
}

/// Channels that lie in two arrays give the bits of the same channels in one.
void test_conv_of_two_arrays() {
  constexpr size_t kImages = 2, kIn = 70, kOut = 5, kSide = 7, kPixels = kSide * kSide;
  const Floats x = random_floats(kImages * kIn * kPixels, 5), dy = random_floats(kImages * kOut * kPixels, 6), weights = random_floats(kOut * kIn * 9, 9);
  Floats y(dy.size()), dx(x.size()), dw(weights.size());
  conv3x3(Serial{}, kImages, kSide, kSide, {kIn, x.data()}, weights.data(), false, {kOut, y.data()});
  conv3x3(Serial{}, kImages, kSide, kSide, {kOut, dy.data()}, weights.data(), true, {kIn, dx.data()});
  conv3x3_weight_gradient(Serial{}, kImages, kSide, kSide, {kIn, x.data()}, {kOut, dy.data()}, dw.data());
  for (const size_t split : {size_t{1}, size_t{66}, kIn}) {
    const size_t first = split * kPixels, rest = (kIn - split) * kPixels;
    const auto halves = [&](const Floats& both) {
      std::vector<Floats> result(2);
      for (size_t image = 0; image < kImages; ++image) {
        const float* const begin = both.data() + image * kIn * kPixels;
        result[0].insert(result[0].end(), begin, begin + first);
        result[1].insert(result[1].end(), begin + first, begin + first + rest);
      }
      return result;
    };
    const std::vector<Floats> x_halves = halves(x), dx_halves = halves(dx);
    const Channels<const float> in{kIn, x_halves[0].data(), x_halves[1].data(), split};
    Floats got_y(y.size()), got_first(dx_halves[0].size()), got_rest(dx_halves[1].size()), got_dw(dw.size());
    conv3x3(Pooled{2}, kImages, kSide, kSide, in, weights.data(), false, {kOut, got_y.data()});
    conv3x3(Pooled{2}, kImages, kSide, kSide, {kOut, dy.data()}, weights.data(), true, {kIn, got_first.data(), got_rest.data(), split});
    conv3x3_weight_gradient(Pooled{2}, kImages, kSide, kSide, in, {kOut, dy.data()}, got_dw.data());
    CHECK(bit_equal(got_y, y) && bit_equal(got_dw, dw) && bit_equal(got_first, dx_halves[0]) && bit_equal(got_rest, dx_halves[1]));
  }
}

void test_conv_transpose(size_t n, size_t ci, size_t co, size_t height, size_t width) {
  const size_t pixels = height * width;
  const Floats x = random_floats(n * ci * pixels, 5), dy = random_floats(n * co * 4 * pixels, 6), weights = random_floats(ci * co * 4, 9);
  std::vector<double> y(dy.size()), dx(x.size()), dw(weights.size());
  for (size_t at_y = 0; at_y < y.size(); ++at_y) {
    const size_t column = at_y % (2 * width), row = at_y / (2 * width) % (2 * height), o = at_y / (4 * pixels) % co, image = at_y / (4 * pixels * co);
    for (size_t i = 0; i < ci; ++i) {
      const size_t at_x = (image * ci + i) * pixels + row / 2 * width + column / 2, at_w = (i * co + o) * 4 + row % 2 * 2 + column % 2;
      y[at_y] += static_cast<double>(x[at_x]) * weights[at_w];
      dx[at_x] += static_cast<double>(dy[at_y]) * weights[at_w];
      dw[at_w] += static_cast<double>(dy[at_y]) * x[at_x];
    }
  }
  const auto run = [&](int threads) {
    const Pooled parallel(threads);
    Floats got_y(y.size(), 7.0f), got_dx(dx.size(), 7.0f), got_dw(dw.size(), 7.0f);
    conv_transpose2x2(parallel, n, ci, co, height, width, x.data(), weights.data(), got_y.data());
    conv_transpose2x2_input_gradient(parallel, n, ci, co, height, width, dy.data(), weights.data(), got_dx.data());
    conv_transpose2x2_weight_gradient(parallel, n, ci, co, height, width, x.data(), dy.data(), got_dw.data());
    return std::vector<Floats>{got_y, got_dx, got_dw};
  };
  check_results(run, {y, dx, dw});
}

void test_conv1x1_gradient(size_t n, size_t ci, size_t co, size_t pixels) {
  const Floats x = random_floats(n * ci * pixels, 5), dy = random_floats(n * co * pixels, 6);
  std::vector<double> dw(co * ci), dbias(co);
  for (size_t image = 0; image < n; ++image)
    for (size_t o = 0; o < co; ++o)
      for (size_t p = 0; p < pixels; ++p) {
        const double upstream = dy[(image * co + o) * pixels + p];
        dbias[o] += upstream;
        for (size_t i = 0; i < ci; ++i) dw[o * ci + i] += upstream * x[(image * ci + i) * pixels + p];
      }
  const auto run = [&](int threads) {
    Floats got_dw(dw.size(), 7.0f), got_dbias(co, 7.0f);
    conv1x1_weight_gradient(Pooled{threads}, n, ci, co, pixels, x.data(), dy.data(), got_dw.data(), got_dbias.data());
    return std::vector<Floats>{got_dw, got_dbias};
  };
  const std::vector<Floats> got = run(1), again = run(3);
  CHECK_CLOSE(relative_error(got[0], dw), 0, 2e-6);
  CHECK_CLOSE(relative_error(got[1], dbias), 0, 1e-5);  // terms of either sign cancel
  for (size_t i = 0; i < got.size(); ++i) CHECK(bit_equal(got[i], again[i]));
}

void test_pooling_gradient() {
  const Floats dy = random_floats(2 * 2 * 3, 11);
  Floats dx(2 * 5 * 7, 9.0f);
  average_pool2x2_gradient(Pooled{2}, 2, 5, 7, dy.data(), dx.data());
  bool right = true;
  for (size_t i = 0; i < dx.size(); ++i) {
    const size_t column = i % 7, row = i / 7 % 5, plane = i / 35;
    right = right && dx[i] == (column == 6 || row == 4 ? 0.0f : dy[(plane * 2 + row / 2) * 3 + column / 2] / 4);
  }
  CHECK(right);
}

void test_adam() {
  constexpr size_t kLength = 70'003;
  const Floats start = random_floats(kLength, 7);
  Floats parameter = start, first(kLength), second(kLength);
  std::vector<double> p(start.begin(), start.end()), m(kLength), v(kLength);
  for (uint64_t step = 1; step <= 3; ++step) {
    const Floats gradient = random_floats(kLength, 10 + static_cast<unsigned>(step));
    Floats serial = parameter, serial_first = first, serial_second = second;
    const AdamOptions options{.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .step = step};
    adam_step(Serial{}, kLength, options, gradient.data(), serial.data(), serial_first.data(), serial_second.data());
    adam_step(Pooled{2}, kLength, options, gradient.data(), parameter.data(), first.data(), second.data());
    CHECK(bit_equal(serial, parameter));
    for (size_t i = 0; i < kLength; ++i) {
      m[i] = 0.9 * m[i] + 0.1 * gradient[i];
      v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i];
      p[i] -= 1e-3 * (m[i] / (1 - std::pow(0.9, step))) / (std::sqrt(v[i] / (1 - std::pow(0.999, step))) + 1e-8);
    }
  }
  CHECK_CLOSE(relative_error(parameter, p), 0, 1e-6);
  CHECK_CLOSE(relative_error(first, m), 0, 1e-6);
  CHECK_CLOSE(relative_error(second, v), 0, 1e-6);
}

void test_finiteness() {
  for (size_t length : {1u, 17u, 70'003u}) {
    Floats x = random_floats(length, 8);
    CHECK(all_finite(Pooled{2}, length, x.data()));
    for (float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      const float good = x[length - 1];
      x[length - 1] = bad;
      CHECK(!all_finite(Pooled{2}, length, x.data()));
      x[length - 1] = good;
    }
  }
  CHECK(all_finite(Serial{}, 0, nullptr));
}

}  // namespace

int main() {
  for (const NormCase& c : {NormCase{1, 1, 1, true, 0.2f}, NormCase{2, 3, 35, true, 0.2f}, NormCase{1, 5, 64, false, 0.0f}, NormCase{2, 4, 77, false, 0.2f}, NormCase{3, 2, 100, true, 1.0f},
                            NormCase{2, 2, 9'001, true, 0.2f}})
    test_norm(c);
  test_moments_under_an_offset();
  test_conv_of_two_arrays();
  test_conv(1, 1, 1, 1, 1);
  test_conv(2, 3, 5, 7, 9);
  test_conv(1, 2, 33, 8, 8);
  test_conv(3, 35, 6, 5, 17);
  test_conv(1, 4, 4, 40, 101);
  test_conv(1, 1, 2, 3, 1500);
  test_conv(1, 2, 1, 200, 1);
  test_conv_transpose(1, 1, 1, 1, 1);
  test_conv_transpose(2, 5, 3, 7, 9);
  test_conv_transpose(1, 19, 34, 6, 11);
  test_conv_transpose(3, 2, 1, 40, 33);
  test_conv1x1_gradient(1, 1, 1, 1);
  test_conv1x1_gradient(2, 7, 3, 35);
  test_conv1x1_gradient(1, 32, 2, 10'001);
  test_conv1x1_gradient(3, 2, 37, 1025);
  test_pooling_gradient();
  test_adam();
  test_finiteness();
  return larmor::test::finish();
}
