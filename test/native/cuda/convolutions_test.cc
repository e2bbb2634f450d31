// Convolutions on the device against the processor's: channels and images that fill no tile, several tiles, channels in two arrays.
#include "core/network.h"
#include "network_on_device.h"

namespace {

using namespace larmor;
using namespace larmor::test;

struct Case {
  uint32_t n, ci, co, height, width;
};

/// What the tests start results from, so that what is not written shows.
Floats unset(size_t count) { return Floats(count, std::nanf("")); }

void check_conv3x3(const OnDevice& device, const Case& c) {
  const size_t pixels = size_t{c.height} * c.width;
  const Floats x = values<float>(c.n * c.ci * pixels, 1), dy = values<float>(c.n * c.co * pixels, 2);
  const Floats weights = values<float>(size_t{c.co} * c.ci * 9, 3);
  Floats y(dy.size()), dx(x.size()), dw(weights.size());
  conv3x3(Serial{}, c.n, c.height, c.width, {c.ci, x.data()}, weights.data(), false, {c.co, y.data()});
  conv3x3(Serial{}, c.n, c.height, c.width, {c.co, dy.data()}, weights.data(), true, {c.ci, dx.data()});
  conv3x3_weight_gradient(Serial{}, c.n, c.height, c.width, {c.ci, x.data()}, {c.co, dy.data()}, dw.data());
  const DeviceArray<float> on_x(device, x), on_dy(device, dy), on_weights(device, weights);
  const Floats got = in_both_orders([&] {
    const DeviceArray<float> got_y(device, y.size()), got_dx(device, dx.size()), got_dw(device, dw.size());
    SUCCEED(cuda().conv3x3(device, c.n, c.ci, c.co, c.height, c.width, 0, 0, on_x, nullptr, on_weights, 0, got_y, nullptr));
    SUCCEED(cuda().conv3x3(device, c.n, c.co, c.ci, c.height, c.width, 0, 1, on_dy, nullptr, on_weights, 0, got_dx, nullptr));
    SUCCEED(cuda().conv3x3_weight_gradient(device, c.n, c.ci, c.co, c.height, c.width, 0, on_x, nullptr, on_dy, got_dw));
    return joined({got_y.get(), got_dx.get(), got_dw.get()});
  });
  check_near(got, {y, dx, dw});
}

/// The first `split` of `channels` channels of n images, and the others.
std::pair<Floats, Floats> halves(const Floats& both, size_t n, size_t channels, size_t split, size_t pixels) {
  std::pair<Floats, Floats> result;
  for (size_t image = 0; image < n; ++image) {
    const auto begin = both.begin() + static_cast<ptrdiff_t>(image * channels * pixels), middle = begin + static_cast<ptrdiff_t>(split * pixels);
    result.first.insert(result.first.end(), begin, middle);
    result.second.insert(result.second.end(), middle, begin + static_cast<ptrdiff_t>(channels * pixels));
  }
  return result;
}

/// Channels that lie in two arrays give the bits of the same channels in one.
void channels_in_two_arrays(const OnDevice& device) {
  constexpr uint32_t n = 2, ci = 19, co = 5, height = 6, width = 8, pixels = height * width;
  const Floats x = values<float>(n * ci * pixels, 1), dy = values<float>(n * co * pixels, 2), weights = values<float>(co * ci * 9, 3);
  const DeviceArray<float> on_x(device, x), on_dy(device, dy), on_weights(device, weights);
  const DeviceArray<float> y(device, dy.size()), dx(device, x.size()), dw(device, weights.size());
  SUCCEED(cuda().conv3x3(device, n, ci, co, height, width, 0, 0, on_x, nullptr, on_weights, 0, y, nullptr));
  SUCCEED(cuda().conv3x3(device, n, co, ci, height, width, 0, 1, on_dy, nullptr, on_weights, 0, dx, nullptr));
  SUCCEED(cuda().conv3x3_weight_gradient(device, n, ci, co, height, width, 0, on_x, nullptr, on_dy, dw));
  for (const uint32_t split : {1u, 8u, 18u}) {
    const auto [first, second] = halves(x, n, ci, split, pixels);
    const DeviceArray<float> x_first(device, first), x_second(device, second), got_y(device, unset(dy.size())), got_dw(device, unset(weights.size()));
    const DeviceArray<float> dx_first(device, unset(first.size())), dx_second(device, unset(second.size()));
    SUCCEED(cuda().conv3x3(device, n, ci, co, height, width, split, 0, x_first, x_second, on_weights, 0, got_y, nullptr));
    SUCCEED(cuda().conv3x3(device, n, co, ci, height, width, 0, 1, on_dy, nullptr, on_weights, split, dx_first, dx_second));
    SUCCEED(cuda().conv3x3_weight_gradient(device, n, ci, co, height, width, split, x_first, x_second, on_dy, got_dw));
    CHECK(got_y.get() == y.get() && got_dw.get() == dw.get());
    CHECK(std::make_pair(dx_first.get(), dx_second.get()) == halves(dx.get(), n, ci, split, pixels));
  }
}

void check_transpose(const OnDevice& device, const Case& c) {
  const size_t pixels = size_t{c.height} * c.width;
  const Floats x = values<float>(c.n * c.ci * pixels, 1), dy = values<float>(c.n * c.co * 4 * pixels, 2);
  const Floats weights = values<float>(size_t{c.ci} * c.co * 4, 3);
  Floats y(dy.size()), dx(x.size()), dw(weights.size());
  conv_transpose2x2(Serial{}, c.n, c.ci, c.co, c.height, c.width, x.data(), weights.data(), y.data());
  conv_transpose2x2_input_gradient(Serial{}, c.n, c.ci, c.co, c.height, c.width, dy.data(), weights.data(), dx.data());
  conv_transpose2x2_weight_gradient(Serial{}, c.n, c.ci, c.co, c.height, c.width, x.data(), dy.data(), dw.data());
  const DeviceArray<float> on_x(device, x), on_dy(device, dy), on_weights(device, weights);
  const Floats got = in_both_orders([&] {
    const DeviceArray<float> got_y(device, y.size()), got_dx(device, dx.size()), got_dw(device, dw.size());
    SUCCEED(cuda().conv_transpose2x2(device, c.n, c.ci, c.co, c.height, c.width, on_x, on_weights, got_y));
    SUCCEED(cuda().conv_transpose2x2_input_gradient(device, c.n, c.ci, c.co, c.height, c.width, on_dy, on_weights, got_dx));
    SUCCEED(cuda().conv_transpose2x2_weight_gradient(device, c.n, c.ci, c.co, c.height, c.width, on_x, on_dy, got_dw));
    return joined({got_y.get(), got_dx.get(), got_dw.get()});
  });
  check_near(got, {y, dx, dw});

  // A result that starts between pairs of floats.
  const DeviceArray<float> shifted(device, y.size() + 1);
  SUCCEED(cuda().conv_transpose2x2(device, c.n, c.ci, c.co, c.height, c.width, on_x, on_weights, shifted + 1));
  const Floats all = shifted.get();
  CHECK(Floats(all.begin() + 1, all.end()) == Floats(got.begin(), got.begin() + static_cast<ptrdiff_t>(y.size())));
}

void check_conv1x1(const OnDevice& device, uint32_t n, uint32_t ci, uint32_t co, size_t pixels) {
  const Floats x = values<float>(n * ci * pixels, 1), dy = values<float>(n * co * pixels, 2);
  Floats dw(size_t{co} * ci), dbias(co);
  conv1x1_weight_gradient(Serial{}, n, ci, co, pixels, x.data(), dy.data(), dw.data(), dbias.data());
  const DeviceArray<float> on_x(device, x), on_dy(device, dy);
  const Floats got = in_both_orders([&] {
    const DeviceArray<float> got_dw(device, dw.size()), got_dbias(device, dbias.size());
    SUCCEED(cuda().conv1x1_weight_gradient(device, n, ci, co, pixels, on_x, on_dy, got_dw, got_dbias));
    return joined({got_dw.get(), got_dbias.get()});
  });
  check_near(got, {dw, dbias});
  const DeviceArray<float> alone(device, dw.size());
  SUCCEED(cuda().conv1x1_weight_gradient(device, n, ci, co, pixels, on_x, on_dy, alone, nullptr));
  CHECK(alone.get() == Floats(got.begin(), got.begin() + static_cast<ptrdiff_t>(dw.size())));
}

void refusals(const OnDevice& device) {
  const DeviceArray<float> a(device, 16);
  FAIL_WITH(cuda().conv3x3(device, 1, 1, 1, 0, 4, 0, 0, a, nullptr, a, 0, a, nullptr), LARMOR_CUDA_ARGUMENT,
            "conv3x3: height must be at least 1, got 0");
  FAIL_WITH(cuda().conv3x3(device, 1, 1, 1, 4, 4, 0, 0, a, nullptr, nullptr, 0, a, nullptr), LARMOR_CUDA_ARGUMENT, "device_weights must not be null");
  FAIL_WITH(cuda().conv3x3(device, 1, 2, 1, 2, 2, 2, 0, a, a, a, 0, a, nullptr), LARMOR_CUDA_ARGUMENT,
            "split must be between 1 and 1 with channels in two arrays, got 2");
  FAIL_WITH(cuda().conv3x3(device, 1, 1, 2, 2, 2, 0, 0, a, nullptr, a, 0, a, a), LARMOR_CUDA_ARGUMENT, "split_out must be between 1 and 1");
  FAIL_WITH(cuda().conv3x3(device, 1u << 31, 4, 1, 1u << 31, 1, 0, 0, a, nullptr, a, 0, a, nullptr), LARMOR_CUDA_ARGUMENT, "too large");
  FAIL_WITH(cuda().conv3x3(device, 1u << 16, 1, 1, 1u << 21, 1, 0, 0, a, nullptr, a, 0, a, nullptr), LARMOR_CUDA_ARGUMENT,
            "in tiles must be at most 2147483647");
  FAIL_WITH(cuda().conv3x3_weight_gradient(device, 1, 1, 1, 4, 4, 0, a, nullptr, a, nullptr), LARMOR_CUDA_ARGUMENT, "device_dw must not be null");
  FAIL_WITH(cuda().conv_transpose2x2(device, 1, 1, 1, 2, 2, nullptr, a, a), LARMOR_CUDA_ARGUMENT, "conv_transpose2x2: device_x must not be null");
  FAIL_WITH(cuda().conv_transpose2x2_input_gradient(device, 1, 0, 1, 2, 2, a, a, a), LARMOR_CUDA_ARGUMENT, "ci must be at least 1");
  FAIL_WITH(cuda().conv_transpose2x2_weight_gradient(device, 1, 1, 1u << 30, 1, 1, a, a, a), LARMOR_CUDA_ARGUMENT, "co must be at most 1073741823");
  FAIL_WITH(cuda().conv1x1_weight_gradient(device, 1, 1, 1, 0, a, a, a, a), LARMOR_CUDA_ARGUMENT, "pixels must be at least 1");
}

}  // namespace

int main() {
  const OnDevice device;
  for (const Case& c :
       {Case{1, 1, 1, 1, 1}, Case{2, 3, 5, 7, 9}, Case{1, 2, 33, 8, 8}, Case{3, 35, 6, 5, 17}, Case{1, 9, 12, 35, 36}, Case{1, 1, 2, 3, 300}})
    check_conv3x3(device, c);
  channels_in_two_arrays(device);
  for (const Case& c : {Case{1, 1, 1, 1, 1}, Case{2, 5, 3, 7, 9}, Case{1, 19, 34, 6, 11}, Case{3, 66, 1, 10, 33}}) check_transpose(device, c);
  check_conv1x1(device, 1, 1, 1, 1);
  check_conv1x1(device, 2, 7, 3, 35);
  check_conv1x1(device, 1, 32, 2, 10'001);
  check_conv1x1(device, 3, 70, 66, 105);
  refusals(device);
  return finish();
}
