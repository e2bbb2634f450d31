// The encoding operator on the device against its formula in double precision: batches, sets of maps, layouts, masks, and memory too small for all coils.
#include <cmath>
#include <limits>
#include <vector>

#include "problems.h"

namespace {

using namespace larmor;
using namespace larmor::test;

constexpr double kTolerance = 1e-6;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// Noise for the images of all cases, or for their samples.
std::vector<c32> part(const std::vector<c32>& all, size_t count, size_t i) {
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(i * count);
  return {first, first + static_cast<std::ptrdiff_t>(count)};
}

void check_operator(const OnDevice& device, const std::vector<Case>& cases, bool planar) {
  const EncodingSizes& sizes = cases[0].sizes;
  const size_t n = sizes.ny * sizes.nx, image = sizes.sets * n, samples = sizes.coils * n;
  const std::vector<c32> x = noise(cases.size() * image, 4);
  std::vector<c32> y = noise(cases.size() * samples, 5);
  const auto predicted = each_case(cases, [&](const Case& c, size_t i) { return encode(c, part(x, image, i)); });
  const auto adjoint = each_case(cases, [&](const Case& c, size_t i) { return encode_adjoint(c, widen(part(y, samples, i))); });
  const auto normal = each_case(cases, [&](const Case& c, size_t i) { return encode_adjoint(c, encode(c, part(x, image, i))); });
  auto difference = predicted;
  for (size_t i = 0; i < y.size(); ++i) {
    const double weight = cases[i / samples].weight(i % n);
    difference[i] -= weight * Complex(y[i].re, y[i].im);
    if (weight == 0) y[i] = {kNaN, kNaN};  // never read
  }

  const Batch batch(device, cases, planar);
  const LarmorCudaEncoding encoding = batch.encoding();
  // Of one coil with cuFFT's work area where it is used, beside the tables of phases, roots and slots; in place the image besides.
  const bool by_cufft = sizes.nx == 37;
  const size_t plane_bytes = ((by_cufft ? 2 : 1) * n + 4 * (sizes.ny + sizes.nx)) * sizeof(c32), image_bytes = image * sizeof(c32);
  const DeviceArray<float> on_device(device, batch.flat(x));
  const DeviceArray<c32> measured(device, y);
  const DeviceArray<float> result(device, 2 * x.size());
  const DeviceArray<c32> kspace(device, y.size());

  const auto got = in_pieces_too(device, plane_bytes, [&] {
    SUCCEED(cuda().encode(device, &encoding, on_device, kspace));
    return kspace.get();
  });
  CHECK_CLOSE(relative_error(got, predicted), 0, kTolerance);
  const auto residual = in_pieces_too(device, plane_bytes, [&] {
    SUCCEED(cuda().residual(device, &encoding, on_device, measured, kspace));
    return kspace.get();
  });
  CHECK_CLOSE(relative_error(residual, difference), 0, kTolerance);
  const auto back = in_pieces_too(device, plane_bytes, [&] {
    SUCCEED(cuda().encode_adjoint(device, &encoding, measured, result));
    return result.get();
  });
  CHECK_CLOSE(relative_error(batch.images(back), adjoint), 0, kTolerance);
  const auto both = in_pieces_too(device, plane_bytes, [&] {
    SUCCEED(cuda().encode_normal(device, &encoding, on_device, result));
    return result.get();
  });
  CHECK_CLOSE(relative_error(batch.images(both), normal), 0, kTolerance);
  const auto in_place = in_pieces_too(device, plane_bytes + image_bytes, [&] {
    result.set(batch.flat(x));
    SUCCEED(cuda().encode_normal(device, &encoding, result, result));
    return result.get();
  });
  CHECK(in_place == both);
}

void check_maps_gradient(const OnDevice& device, const std::vector<Case>& cases, bool planar) {
  const EncodingSizes& sizes = cases[0].sizes;
  const size_t n = sizes.ny * sizes.nx, samples = sizes.coils * n;
  const std::vector<c32> x = noise(cases.size() * n, 4);
  const std::vector<c32> y = noise(cases.size() * samples, 5);
  const auto want = each_case(cases, [&](const Case& c, size_t i) {
    std::vector<Complex> z = widen(part(y, samples, i));
    for (size_t j = 0; j < z.size(); ++j) z[j] *= c.weight(j % n);
    direct_dft2(true, sizes.ny, sizes.nx, z);
    for (size_t j = 0; j < z.size(); ++j) z[j] *= std::conj(Complex(x[i * n + j % n].re, x[i * n + j % n].im));
    return z;
  });
  const Batch batch(device, cases, planar);
  LarmorCudaEncoding encoding = batch.encoding();
  encoding.device_maps = nullptr;
  const DeviceArray<float> image(device, batch.flat(x));
  const DeviceArray<c32> kspace(device, y), maps(device, y.size());
  const auto got = in_pieces_too(device, 4 * (sizes.ny + sizes.nx) * sizeof(c32), [&] {
    SUCCEED(cuda().encode_maps_gradient(device, &encoding, image, kspace, maps));
    return maps.get();
  });
  CHECK_CLOSE(relative_error(got, want), 0, kTolerance);
}

void check_arguments(const OnDevice& device) {
  const Batch batch(device, make_cases(1, {2, 2, 3, 4}, true), true);
  const DeviceArray<c32> x(device, noise(24)), y(device, noise(24));
  LarmorCudaEncoding encoding = batch.encoding();
  FAIL_WITH(cuda().encode(device, nullptr, x, y), LARMOR_CUDA_ARGUMENT, "encode: encoding must not be null");
  FAIL_WITH(cuda().encode(device, &encoding, nullptr, y), LARMOR_CUDA_ARGUMENT, "device_image and device_kspace must not be null");
  FAIL_WITH(cuda().encode_adjoint(device, &encoding, x, nullptr), LARMOR_CUDA_ARGUMENT, "must not be null");
  FAIL_WITH(cuda().encode_normal(device, &encoding, x, nullptr), LARMOR_CUDA_ARGUMENT, "must not be null");
  FAIL_WITH(cuda().residual(device, &encoding, x, y, y), LARMOR_CUDA_ARGUMENT, "device_residual must not be device_kspace");
  FAIL_WITH(cuda().encode_maps_gradient(device, &encoding, x, y, y), LARMOR_CUDA_ARGUMENT, "sets must be 1, got 2");
  encoding.device_maps = nullptr;
  FAIL_WITH(cuda().encode(device, &encoding, x, y), LARMOR_CUDA_ARGUMENT, "device_maps must not be null");
  encoding.nx = 0;
  FAIL_WITH(cuda().encode(device, &encoding, x, y), LARMOR_CUDA_ARGUMENT, "sets, coils, ny and nx must be 1 or more, got 2, 2, 3 and 0");
  encoding = batch.encoding();
  encoding.batch = 0;
  encoding.device_maps = encoding.device_mask = nullptr;
  SUCCEED(cuda().encode(device, &encoding, nullptr, nullptr));
}

void check_out_of_memory(const OnDevice& device) {
  const Batch batch(device, make_cases(2, {1, 2, 8, 8}, false), false);
  const LarmorCudaEncoding encoding = batch.encoding();
  const DeviceArray<c32> x(device, noise(128));
  SUCCEED(cuda().trim(device));
  const size_t memory = emulator::machine().memory, used = emulator::machine().used;
  emulator::machine().memory = used + 1000;  // a plane takes 512, and as much for cuFFT
  FAIL_WITH(cuda().encode_normal(device, &encoding, x, x), LARMOR_CUDA_MEMORY, "encode_normal: cudaMalloc 512 bytes: out of memory");
  SUCCEED(cuda().trim(device));
  CHECK(emulator::machine().used == used && fake_cufft().plans == 0);
  emulator::machine().memory = memory;
}

}  // namespace

int main() {
  {
    const OnDevice device;
    for (const bool lines : {true, false})
      for (const bool planar : {true, false}) {
        for (const EncodingSizes sizes : {EncodingSizes{1, 3, 12, 10}, EncodingSizes{2, 3, 5, 6}, EncodingSizes{1, 1, 6, 9}})
          check_operator(device, make_cases(2, sizes, lines), planar);
        check_operator(device, make_cases(1, {3, 4, 7, 5}, lines), planar);
        check_operator(device, make_cases(1, {1, 2, 20, 22}, lines), planar);
        check_operator(device, make_cases(1, {1, 20, 6, 36}, lines), planar);  // rows of ten coils at once, columns of three tiles
        check_operator(device, make_cases(2, {1, 3, 4, 37}, lines), planar);  // rows too prime for larmor's own passes
        check_maps_gradient(device, make_cases(2, {1, 3, 12, 10}, lines), planar);
        check_maps_gradient(device, make_cases(1, {1, 2, 7, 6}, lines), planar);
        check_maps_gradient(device, make_cases(1, {1, 20, 6, 36}, lines), planar);
      }
    check_arguments(device);
    check_out_of_memory(device);
  }
  CHECK(fake_cufft().plans == 0);
  return finish();
}
