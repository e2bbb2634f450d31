// Convolutions and their gradients against plain loops in double, and bit-equality over thread counts.
#include "core/network.h"

#include <cstddef>
#include <vector>

#include "check.h"
#include "floats.h"

namespace {

using namespace larmor;
using namespace larmor::test;

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

}  // namespace

int main() {
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
  return finish();
}
