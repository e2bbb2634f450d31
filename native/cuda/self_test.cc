// Numbers that a device must get right before it is trusted: drivers exist that report success and leave zeros.
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

#include "cuda/context.h"
#include "cuda/entries.h"

namespace larmor::cuda {
namespace {

using Complex = std::complex<double>;
using Samples = std::vector<std::complex<float>>;

constexpr double kTolerance = 1e-5;  // relative, in the l2 norm: ten times what single precision leaves of such small transforms
constexpr uint32_t kCoils = 2;

Samples noise(size_t count, uint64_t seed) {
  Samples result(count);
  uint64_t state = 0x9e3779b97f4a7c15u * seed;
  const auto uniform = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<float>(static_cast<double>(state >> 40) / (1 << 24) - 0.5);
  };
  for (auto& value : result) value = {uniform(), uniform()};
  return result;
}

std::vector<Complex> widen(const Samples& x) { return {x.begin(), x.end()}; }

/// The centred unitary transform of images [ny, nx], from the definition.
std::vector<Complex> transform(int direction, uint32_t ny, uint32_t nx, const std::vector<Complex>& x) {
  const int64_t rows = ny, columns = nx, points = rows * columns;
  std::vector<Complex> result(x.size());
  const auto turns = [](int64_t j, int64_t k, int64_t n) { return static_cast<double>((j - n / 2) * (k - n / 2) % n) / static_cast<double>(n); };
  for (size_t image = 0; image < x.size(); image += static_cast<size_t>(points))
    for (int64_t k = 0; k < points; ++k) {
      Complex sum = 0;
      for (int64_t j = 0; j < points; ++j)
        sum += x[image + static_cast<size_t>(j)] *
               std::polar(1.0, direction * 2 * std::numbers::pi * (turns(j / columns, k / columns, rows) + turns(j % columns, k % columns, columns)));
      result[image + static_cast<size_t>(k)] = sum / std::sqrt(static_cast<double>(points));
    }
  return result;
}

/// The status of a call inside the test, as an exception again.
void succeed(LarmorCudaStatus status) {
  if (status != LARMOR_CUDA_OK) throw Failure(status, last_error());
}

void expect(const char* what, uint32_t ny, uint32_t nx, const Samples& got, const std::vector<Complex>& want) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    error += std::norm(Complex(got[i]) - want[i]);
    norm += std::norm(want[i]);
  }
  const double relative = std::sqrt(error / norm);
  if (!(relative <= kTolerance))
    throw Failure(LARMOR_CUDA_UNAVAILABLE, text(what, " of ", ny, "x", nx, " is wrong on this device: relative error ", relative, ", at most ", kTolerance, " allowed"));
}

/// Complex samples on the device of a context.
class OnDevice {
 public:
  OnDevice(Context& context, const Samples& values) : context_(context), count_(values.size()), data_(context.memory(), 2 * values.size()) {
    context.upload(data(), values.data(), count_ * sizeof(values[0]));
  }
  float* data() const { return data_.data(); }
  Samples get() const {
    Samples result(count_);
    context_.download(result.data(), data(), count_ * sizeof(result[0]));
    return result;
  }

 private:
  Context& context_;
  size_t count_;
  Scratch<float> data_;
};

void test_transform(Context& context, uint32_t ny, uint32_t nx) {
  const Samples x = noise(static_cast<size_t>(kCoils) * ny * nx, 1);
  const OnDevice in(context, x), out(context, Samples(x.size()));
  succeed(fft2(&context, 0, kCoils, ny, nx, in.data(), out.data()));
  expect("fft2", ny, nx, out.get(), transform(-1, ny, nx, widen(x)));
  succeed(fft2(&context, 1, kCoils, ny, nx, out.data(), out.data()));
  expect("inverse fft2", ny, nx, out.get(), widen(x));
}

void test_normal(Context& context, uint32_t ny, uint32_t nx, bool lines) {
  const size_t points = static_cast<size_t>(ny) * nx;
  const Samples x = noise(points, 2), maps = noise(kCoils * points, 3);
  std::vector<float> weights(lines ? nx : points);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 3);

  std::vector<Complex> planes = widen(maps), want(points);
  for (size_t i = 0; i < planes.size(); ++i) planes[i] *= Complex(x[i % points]);
  planes = transform(-1, ny, nx, planes);
  for (size_t i = 0; i < planes.size(); ++i) planes[i] *= std::pow(static_cast<double>(weights[lines ? i % nx : i % points]), 2);
  planes = transform(1, ny, nx, planes);
  for (size_t i = 0; i < planes.size(); ++i) want[i % points] += std::conj(Complex(maps[i])) * planes[i];

  const OnDevice image(context, x), on_device_maps(context, maps);
  const Scratch<float> mask(context.memory(), weights.size());
  context.upload(mask.data(), weights.data(), weights.size() * sizeof(float));
  const LarmorCudaEncoding encoding{.batch = 1, .sets = 1, .coils = kCoils, .ny = ny, .nx = nx, .lines = lines, .planar = 0,
                                    .device_maps = on_device_maps.data(), .device_mask = mask.data()};
  succeed(encode_normal(&context, &encoding, image.data(), image.data()));
  expect("encode_normal", ny, nx, image.get(), want);
}

void test_sum(Context& context) {
  const Samples x = noise(5000, 4);
  double want = 0;
  for (const auto& value : x) want += std::norm(Complex(value));
  const OnDevice values(context, x), sum(context, Samples(1));
  succeed(squared_norm(&context, 2 * x.size(), values.data(), sum.data()));
  expect("squared_norm", 1, static_cast<uint32_t>(2 * x.size()), {sum.get()[0].real()}, {want});
}

}  // namespace

LarmorCudaStatus self_test(int32_t device) {
  return guarded("self_test", [&] {
    Context context(device);
    test_sum(context);
    std::vector<std::pair<uint32_t, uint32_t>> sizes = {{12, 10}, {9, 14}};
    if (cufft_version() != 0) sizes.emplace_back(3, 37);  // of a length that larmor's own passes leave to it
    for (const auto& [ny, nx] : sizes) {
      test_transform(context, ny, nx);
      test_normal(context, ny, nx, false);
      test_normal(context, ny, nx, true);
    }
  });
}

}  // namespace larmor::cuda
