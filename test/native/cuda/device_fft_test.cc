// Centred transforms on the device against the definition in double precision, and the plans it keeps.
#include <vector>

#include "direct_dft.h"
#include "on_device.h"

namespace {

using namespace larmor;
using namespace larmor::test;

constexpr double kTolerance = 1e-6;

void check_size(const OnDevice& device, size_t count, uint32_t ny, uint32_t nx) {
  const std::vector<c32> x = noise(count * ny * nx);
  for (const bool inverse : {false, true}) {
    std::vector<Complex> want = widen(x);
    direct_dft2(inverse, ny, nx, want);
    const std::vector<c32> got = in_both_orders([&] {
      const DeviceArray<c32> in(device, x), out(device, x.size());
      SUCCEED(cuda().fft2(device, inverse, count, ny, nx, in, out));
      return out.get();
    });
    CHECK_CLOSE(relative_error(got, want), 0, kTolerance);
    const DeviceArray<c32> in_place(device, x);
    SUCCEED(cuda().fft2(device, inverse, count, ny, nx, in_place, in_place));
    const std::vector<c32> same = in_place.get();
    CHECK(std::memcmp(same.data(), got.data(), got.size() * sizeof(c32)) == 0);
  }
}

/// Every radix alone, twice, and first and last of several, along both axes, without cuFFT; and the longest line.
void check_stages(const OnDevice& device) {
  const uint64_t before = fake_cufft().plans_made;
  for (const uint32_t radix : {2, 3, 4, 5, 7, 8, 11, 13, 16, 17, 19, 23, 29, 31})
    for (const uint32_t n : {radix, radix * radix, 2 * radix, 32 * radix}) {
      check_size(device, 1, n, 1);
      check_size(device, 1, 1, n);
    }
  check_size(device, 1, 19, 35);  // more columns than a tile has, and more rows
  check_size(device, 1, 1, 4096);
  check_size(device, 1, 1, 2187);
  check_size(device, 1, 3125, 3);
  CHECK(fake_cufft().plans_made == before);
}

void check_plans(const OnDevice& device) {
  SUCCEED(cuda().trim(device));
  CHECK(fake_cufft().plans == 0);
  const uint64_t before = fake_cufft().plans_made;
  const DeviceArray<c32> x(device, noise(20 * 41));
  for (int i = 0; i < 3; ++i) SUCCEED(cuda().fft2(device, 0, 2, 1, 37, x, x));
  CHECK(fake_cufft().plans_made == before + 1);
  SUCCEED(cuda().fft2(device, 0, 1, 1, 37, x, x));
  SUCCEED(cuda().fft2(device, 0, 2, 37, 1, x, x));
  SUCCEED(cuda().fft2(device, 1, 2, 1, 37, x, x));
  CHECK(fake_cufft().plans_made == before + 3);
  for (uint32_t count = 1; count <= 20; ++count) SUCCEED(cuda().fft2(device, 0, count, 1, 37, x, x));
  CHECK(fake_cufft().plans == 16);

  fake_cufft().fail_plan = 2;
  FAIL_WITH(cuda().fft2(device, 0, 1, 1, 41, x, x), LARMOR_CUDA_MEMORY, "fft2: cufftMakePlanMany64: CUFFT_ALLOC_FAILED (2)");
  fake_cufft().fail_plan = 8;
  FAIL_WITH(cuda().fft2(device, 0, 1, 1, 41, x, x), LARMOR_CUDA_FAILED, "CUFFT_INVALID_SIZE (8)");
  fake_cufft().fail_plan = 0;
  fake_cufft().fail_execution = 6;
  FAIL_WITH(cuda().fft2(device, 0, 1, 1, 41, x, x), LARMOR_CUDA_FAILED, "fft2: cufftExecC2C: CUFFT_EXEC_FAILED (6)");
  fake_cufft().fail_execution = 0;
  SUCCEED(cuda().fft2(device, 0, 1, 1, 41, x, x));
  CHECK(fake_cufft().plans == 16);
}

void check_arguments(const OnDevice& device) {
  const DeviceArray<c32> x(device, noise(4));
  SUCCEED(cuda().fft2(device, 0, 0, 2, 2, nullptr, nullptr));
  FAIL_WITH(cuda().fft2(device, 2, 1, 2, 2, x, x), LARMOR_CUDA_ARGUMENT, "inverse must be 0 or 1, got 2");
  FAIL_WITH(cuda().fft2(device, 0, 1, 2, 2, nullptr, x), LARMOR_CUDA_ARGUMENT, "must not be null");
  FAIL_WITH(cuda().fft2(device, 0, 1, 1u << 20, 1u << 20, x, x), LARMOR_CUDA_ARGUMENT, "images must have at most 1073741824 points, got 1099511627776");
}

}  // namespace

int main() {
  {
    const OnDevice device;
    for (const auto& [ny, nx] : {std::pair<uint32_t, uint32_t>{1, 1}, {12, 10}, {10, 12}, {14, 6}, {9, 10}, {10, 7}, {5, 9}, {1, 11}, {20, 18}, {23, 1}})
      check_size(device, 3, ny, nx);
    check_stages(device);
    for (const auto& [ny, nx] : {std::pair<uint32_t, uint32_t>{37, 6}, {6, 37}, {74, 3}}) check_size(device, 2, ny, nx);  // by cuFFT
    check_plans(device);
    check_arguments(device);
  }
  CHECK(fake_cufft().plans == 0);
  return finish();
}
