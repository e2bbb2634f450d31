// Instance normalisation on the device against the processor's, on planes that fill no chunk, one, and several.
#include "core/network.h"
#include "network_on_device.h"

namespace {

using namespace larmor;
using namespace larmor::test;

struct Case {
  uint32_t n, channels, pixels;
  bool affine;
  float slope;
};

constexpr float kEpsilon = 1e-5f;

/// What both programs are given and what the processor makes of it.
struct Problem {
  Case c;
  Floats x, dy, scale, bias, y, mean, deviation, dx, dscale, dbias, of_output;

  explicit Problem(const Case& of) : c(of) {
    const size_t planes = size_t{c.n} * c.channels, size = planes * c.pixels;
    x = values<float>(size, 1), dy = values<float>(size, 2);
    for (float& value : x) value = 4 * value + 3;
    for (float& value : dy) value += 0.3f;  // or the sums would be all rounding
    scale = values<float>(c.channels, 3), bias = values<float>(c.channels, 4);
    y = dx = Floats(size), mean = deviation = Floats(planes), dscale = dbias = Floats(c.channels), of_output = dy;
    const InstanceNorm norm{.n = c.n, .channels = c.channels, .pixels = c.pixels, .scale = c.affine ? scale.data() : nullptr,
                            .bias = c.affine ? bias.data() : nullptr, .slope = c.slope};
    instance_norm_leaky_relu(Serial{}, norm, kEpsilon, x.data(), y.data(), mean.data(), deviation.data());
    instance_norm_leaky_relu_gradient(Serial{}, norm, dy.data(), x.data(), mean.data(), deviation.data(), dx.data(), dscale.data(), dbias.data());
    if (has_output_gradient())
      instance_norm_leaky_relu_gradient_of_output(Serial{}, norm, of_output.data(), y.data(), deviation.data(), of_output.data());
  }
  bool has_output_gradient() const { return !c.affine && c.slope > 0; }
};

/// The same on the device; arrays start `shift` floats after an aligned address.
Floats run(const OnDevice& device, const Problem& p, size_t shift) {
  const auto shifted = [&](const Floats& from) {
    Floats result(shift, 0.0f);
    result.insert(result.end(), from.begin(), from.end());
    return result;
  };
  const auto unshifted = [&](const DeviceArray<float>& from) {
    const Floats all = from.get();
    return Floats(all.begin() + static_cast<ptrdiff_t>(shift), all.end());
  };
  const DeviceArray<float> x(device, shifted(p.x)), dy(device, shifted(p.dy)), scale(device, p.scale), bias(device, p.bias);
  const DeviceArray<float> y(device, p.y.size() + shift), mean(device, p.mean.size()), deviation(device, p.mean.size());
  const DeviceArray<float> dx(device, p.dx.size() + shift), dscale(device, p.dscale.size()), dbias(device, p.dbias.size());
  LarmorCudaNorm norm{.n = p.c.n, .channels = p.c.channels, .pixels = p.c.pixels, .device_scale = nullptr, .device_bias = nullptr,
                      .slope = p.c.slope};
  if (p.c.affine) norm.device_scale = scale, norm.device_bias = bias;
  SUCCEED(cuda().instance_norm(device, &norm, kEpsilon, x + shift, y + shift, mean, deviation));
  SUCCEED(cuda().instance_norm_gradient(device, &norm, dy + shift, x + shift, mean, deviation, dx + shift, dscale, dbias));
  const Floats gradient = unshifted(dx);
  SUCCEED(cuda().instance_norm_gradient(device, &norm, dy + shift, x + shift, mean, deviation, dx + shift, nullptr, nullptr));
  CHECK(unshifted(dx) == gradient);
  if (p.has_output_gradient()) SUCCEED(cuda().instance_norm_output_gradient(device, &norm, dy + shift, y + shift, deviation, dy + shift));
  return joined({unshifted(y), mean.get(), deviation.get(), gradient, dscale.get(), dbias.get(), unshifted(dy)});
}

void against_the_processor(const OnDevice& device) {
  for (const Case& c : {Case{1, 1, 1, true, 0.2f}, Case{2, 3, 35, true, 0.2f}, Case{1, 5, 64, false, 0.0f}, Case{2, 4, 77, false, 0.2f},
                        Case{3, 2, 100, true, 1.0f}, Case{2, 2, 9'001, true, 0.2f}, Case{2, 1, 8'196, false, 0.1f}, Case{1, 1, 4'096, false, 0.2f}}) {
    const Problem p(c);
    for (const size_t shift : {0, 1})  // the second cannot be read four values at a time
      check_near(in_both_orders([&] { return run(device, p, shift); }), {p.y, p.mean, p.deviation, p.dx, p.dscale, p.dbias, p.of_output});
  }
}

/// More chunks than threads of a block.
void a_large_plane(const OnDevice& device) {
  constexpr uint32_t kPixels = 256 * 4096 + 5;
  Floats x = values<float>(kPixels, 1), y(kPixels), mean(1), deviation(1);
  instance_norm_leaky_relu(Serial{}, {.n = 1, .channels = 1, .pixels = kPixels, .scale = nullptr, .bias = nullptr, .slope = 0.5f}, kEpsilon, x.data(),
                           y.data(), mean.data(), deviation.data());
  const DeviceArray<float> in(device, x), out(device, kPixels), on_mean(device, 1), on_deviation(device, 1);
  const LarmorCudaNorm norm{.n = 1, .channels = 1, .pixels = kPixels, .device_scale = nullptr, .device_bias = nullptr, .slope = 0.5f};
  SUCCEED(cuda().instance_norm(device, &norm, kEpsilon, in, out, on_mean, on_deviation));
  check_near(joined({out.get(), on_mean.get(), on_deviation.get()}), {y, mean, deviation});
}

/// A large offset on a small deviation: naive sums of squares would lose every digit.
void moments_under_an_offset(const OnDevice& device) {
  constexpr uint32_t kPixels = 20'001;
  Floats x(kPixels);
  for (size_t i = 0; i < kPixels; ++i) x[i] = 4096.0f + (i % 2 == 0 ? 0.5f : -0.5f);
  const DeviceArray<float> in(device, x), out(device, kPixels), mean(device, 1), deviation(device, 1);
  const LarmorCudaNorm norm{.n = 1, .channels = 1, .pixels = kPixels, .device_scale = nullptr, .device_bias = nullptr, .slope = 0.2f};
  SUCCEED(cuda().instance_norm(device, &norm, 0, in, out, mean, deviation));
  CHECK_CLOSE(mean.get()[0], 4096, 1e-3);
  CHECK_CLOSE(deviation.get()[0], 2, 1e-6);
}

void refusals(const OnDevice& device) {
  const DeviceArray<float> a(device, 8);
  LarmorCudaNorm norm{.n = 1, .channels = 2, .pixels = 4, .device_scale = nullptr, .device_bias = nullptr, .slope = 0};
  FAIL_WITH(cuda().instance_norm(device, nullptr, 0, a, a, a, a), LARMOR_CUDA_ARGUMENT, "instance_norm: norm must not be null");
  FAIL_WITH(cuda().instance_norm(device, &norm, 0, a, a, a, nullptr), LARMOR_CUDA_ARGUMENT, "device_inverse_deviation must not be null");
  FAIL_WITH(cuda().instance_norm_output_gradient(device, &norm, a, a, a, a), LARMOR_CUDA_ARGUMENT, "norm.slope must be above 0, got 0");
  norm.device_scale = a;
  FAIL_WITH(cuda().instance_norm_gradient(device, &norm, a, a, a, a, a, nullptr, nullptr), LARMOR_CUDA_ARGUMENT,
            "must both be null or both be given");
  norm.device_bias = a;
  norm.slope = 1;
  FAIL_WITH(cuda().instance_norm_output_gradient(device, &norm, a, a, a, a), LARMOR_CUDA_ARGUMENT, "must be null: a scaled result");
  norm.channels = 0;
  FAIL_WITH(cuda().instance_norm(device, &norm, 0, a, a, a, a), LARMOR_CUDA_ARGUMENT, "norm.channels must be at least 1, got 0");
  norm.n = norm.channels = 1u << 16;
  FAIL_WITH(cuda().instance_norm(device, &norm, 0, a, a, a, a), LARMOR_CUDA_ARGUMENT,
            "n * channels must be at most 2147483647, got about 4294967296");
  norm.n = norm.channels = 1;
  norm.pixels = 0xffffffff;
  FAIL_WITH(cuda().instance_norm(device, &norm, 0, a, a, a, a), LARMOR_CUDA_ARGUMENT, "pixels must be at most 268431360");
}

}  // namespace

int main() {
  const OnDevice device;
  against_the_processor(device);
  a_large_plane(device);
  moments_under_an_offset(device);
  refusals(device);
  return finish();
}
