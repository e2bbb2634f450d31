// Kernels of networks against plain loops in double: normalisation, convolutions over strips, Adam.
#include <limits>

#include "core/kernels.h"
#include "kernel_truth.h"

namespace {

using namespace larmor;
using namespace larmor::test;

const Kernels& k = kernels();

void normalisation() {
  for (const size_t n : kLengths) {
    const std::vector<float> x = values<float>(n, 1), dy = values<float>(n, 2);
    double mean = 0, variance = 0, want_mean = 0, want_variance = 0;
    for (const float value : x) want_mean += value / static_cast<double>(n);
    for (const float value : x) want_variance += (value - want_mean) * (value - want_mean) / static_cast<double>(n);
    k.plane_moments(n, x.data(), &mean, &variance);
    // Deviations from a rounded mean are floats, and so are the sums of the up to 4096 / lanes that share a lane.
    CHECK_CLOSE(mean, want_mean, float_tolerance(1) * std::sqrt(want_variance));
    CHECK_CLOSE(variance, want_variance, float_tolerance(2) * want_variance);

    const NormPlane plane{.mean = 0.1f, .inverse_deviation = 3, .scale = 0.7f, .bias = -0.2f, .slope = 0.25f};
    std::vector<double> want_y(n), want_dx(n);
    double want_sum = 0, want_weighted = 0;
    for (size_t i = 0; i < n; ++i) {
      const double z = (static_cast<double>(x[i]) - plane.mean) * plane.inverse_deviation, a = z * plane.scale + plane.bias;
      const double g = dy[i] * (a > 0 ? 1 : static_cast<double>(plane.slope));
      want_y[i] = a > 0 ? a : a * plane.slope;
      want_sum += g;
      want_weighted += g * z;
      want_dx[i] = static_cast<double>(plane.inverse_deviation) * plane.scale * (g - 0.05f - z * 0.03f);
    }
    std::vector<float> y(n), dx(n);
    k.normalise_plane(n, plane, x.data(), y.data());
    CHECK(worst(y, want_y) < float_tolerance(4));
    double sum = 0, weighted = 0;
    k.norm_gradient_sums(n, plane, dy.data(), x.data(), &sum, &weighted);
    const double magnitude = static_cast<double>(n);  // every term is below 1; the float factors are rounded, the sums are in double
    CHECK_CLOSE(sum, want_sum, float_tolerance(2) * magnitude);
    CHECK_CLOSE(weighted, want_weighted, float_tolerance(4) * 2 * magnitude);
    k.norm_gradient(n, plane, 0.05f, 0.03f, dy.data(), x.data(), dx.data());
    CHECK(worst(dx, want_dx) < float_tolerance(6));

    // Of a result: z is 4 times as far below 0.
    const NormPlane of_output{.mean = 0, .inverse_deviation = 1, .scale = 2, .bias = 0, .slope = 0.25f, .below = 4};
    want_sum = want_weighted = 0;
    for (size_t i = 0; i < n; ++i) {
      const double z = x[i] > 0 ? x[i] : 4 * static_cast<double>(x[i]), g = dy[i] * (x[i] > 0 ? 1 : 0.25);
      want_sum += g;
      want_weighted += g * z;
      want_dx[i] = 2 * (g - 0.05f - z * 0.03f);
    }
    k.norm_gradient_sums(n, of_output, dy.data(), x.data(), &sum, &weighted);
    CHECK_CLOSE(sum, want_sum, float_tolerance(2) * magnitude);
    CHECK_CLOSE(weighted, want_weighted, float_tolerance(4) * 4 * magnitude);
    dx = dy;
    k.norm_gradient(n, of_output, 0.05f, 0.03f, dx.data(), x.data(), dx.data());
    CHECK(worst(dx, want_dx) < float_tolerance(6));
  }
}

using Convolve = decltype(Kernels::conv3x3_strip);
using WeightGradient = decltype(Kernels::conv3x3_weight_gradient_strip);

void convolution(size_t side, Convolve convolve, WeightGradient gradient) {
  for (const size_t ci : {1, 3, 7})
    for (const size_t length : {16, 32, 96}) {
      const size_t tiles = 2, out = k.conv_tile_channels, taps = side * side, row = 9;
      const ConvStrip strip{.length = length, .row = row, .y_stride = length + 16, .x_stride = length + 2 * row + 18};
      const size_t tile_stride = ci * taps * out + 8;
      const std::vector<float> weights = values<float>(tiles * tile_stride, 3), x = values<float>(ci * strip.x_stride, 4);
      const std::vector<float> start = values<float>(tiles * out * strip.y_stride, 5);
      for (const bool add : {false, true}) {
        std::vector<float> y = start;
        convolve(tiles, ci, strip, weights.data(), tile_stride, x.data(), add, y.data());
        std::vector<double> got, want;
        for (size_t o = 0; o < tiles * out; ++o)
          for (size_t p = 0; p < length; ++p) {
            double sum = add ? start[o * strip.y_stride + p] : 0;
            for (size_t i = 0; i < ci; ++i)
              for (size_t tap = 0; tap < taps; ++tap)
                sum += static_cast<double>(weights[o / out * tile_stride + (i * taps + tap) * out + o % out]) *
                       x[i * strip.x_stride + p + tap / side * row + tap % side];
            want.push_back(sum);
            got.push_back(y[o * strip.y_stride + p]);
          }
        CHECK(worst(got, want) < float_tolerance(ci * taps));
      }
      const size_t co = 5, dw_stride = taps * ci + 1;
      const std::vector<float> dy = values<float>(co * strip.y_stride, 6);
      std::vector<float> dw(co * dw_stride, 0.5f);
      std::vector<double> want(co * dw_stride, 0.5);
      gradient(co, ci, strip, dy.data(), x.data(), dw_stride, dw.data());
      for (size_t o = 0; o < co; ++o)
        for (size_t i = 0; i < ci; ++i)
          for (size_t tap = 0; tap < taps; ++tap)
            for (size_t p = 0; p < length; ++p)
              want[o * dw_stride + taps * i + tap] +=
                  static_cast<double>(dy[o * strip.y_stride + p]) * x[i * strip.x_stride + p + tap / side * row + tap % side];
      CHECK(worst(dw, want) < float_tolerance(length));
    }
}

void interleaving() {
  for (const size_t n : kLengths) {
    const std::vector<float> even = values<float>(n, 1), odd = values<float>(n, 2);
    std::vector<float> both(2 * n), first(n), second(n);
    k.interleave(n, even.data(), odd.data(), both.data());
    bool same = true;
    for (size_t i = 0; i < n; ++i) same = same && both[2 * i] == even[i] && both[2 * i + 1] == odd[i];
    k.deinterleave(n, both.data(), first.data(), second.data());
    CHECK(same && first == even && second == odd);
  }
}

void finiteness() {
  for (const size_t n : kLengths)
    for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
      for (const size_t at : {size_t{0}, n / 2, n - 1}) {
        std::vector<float> x = values<float>(n, 1);
        x[0] = std::numeric_limits<float>::max();
        CHECK(k.all_finite(n, x.data()));
        x[at] = bad;
        CHECK(!k.all_finite(n, x.data()));
      }
}

void adam() {
  for (const size_t n : kLengths) {
    const AdamCoefficients c{.beta1 = 0.9f, .one_minus_beta1 = 0.1f, .beta2 = 0.999f, .one_minus_beta2 = 0.001f, .step_size = 0.01f,
                             .second_correction = 0.05f, .epsilon = 1e-8f};
    const std::vector<float> gradient = values<float>(n, 1), parameter = values<float>(n, 2), first = values<float>(n, 3);
    std::vector<float> second = values<float>(n, 4);
    for (float& value : second) value = value * value + 0.01f;
    std::vector<float> p = parameter, m = first, v = second;
    k.adam(n, c, gradient.data(), p.data(), m.data(), v.data());
    std::vector<double> want_p(n), want_m(n), want_v(n);
    for (size_t i = 0; i < n; ++i) {
      const double g = gradient[i];
      want_m[i] = static_cast<double>(c.beta1) * first[i] + c.one_minus_beta1 * g;
      want_v[i] = static_cast<double>(c.beta2) * second[i] + c.one_minus_beta2 * g * g;
      want_p[i] = parameter[i] - c.step_size * want_m[i] / (std::sqrt(want_v[i]) / c.second_correction + c.epsilon);
    }
    CHECK(worst(m, want_m) < float_tolerance(3));
    CHECK(worst(v, want_v) < float_tolerance(4));
    CHECK(worst(p, want_p) < float_tolerance(8));
  }
}

}  // namespace

int main() {
  normalisation();
  convolution(3, k.conv3x3_strip, k.conv3x3_weight_gradient_strip);
  convolution(1, k.conv1x1_strip, k.conv1x1_weight_gradient_strip);
  interleaving();
  finiteness();
  adam();
  return finish();
}
