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

void check_plans(const OnDevice& device) {
  SUCCEED(cuda().trim(device));
  CHECK(fake_cufft().plans == 0);
  const uint64_t before = fake_cufft().plans_made;
  const DeviceArray<c32> x(device, noise(60));
  for (int i = 0; i < 3; ++i) SUCCEED(cuda().fft2(device, 0, 2, 5, 6, x, x));
  CHECK(fake_cufft().plans_made == before + 1);
  SUCCEED(cuda().fft2(device, 0, 1, 5, 6, x, x));
  SUCCEED(cuda().fft2(device, 0, 2, 6, 5, x, x));
  SUCCEED(cuda().fft2(device, 1, 2, 5, 6, x, x));
  CHECK(fake_cufft().plans_made == before + 3);
  for (uint32_t n = 1; n <= 30; ++n) SUCCEED(cuda().fft2(device, 0, 1, 1, n, x, x));
  CHECK(fake_cufft().plans == 16);

  fake_cufft().fail_plan = 2;
  FAIL_WITH(cuda().fft2(device, 0, 1, 2, 7, x, x), LARMOR_CUDA_MEMORY, "fft2: cufftMakePlanMany64: CUFFT_ALLOC_FAILED (2)");
  fake_cufft().fail_plan = 8;
  FAIL_WITH(cuda().fft2(device, 0, 1, 2, 7, x, x), LARMOR_CUDA_FAILED, "CUFFT_INVALID_SIZE (8)");
  fake_cufft().fail_plan = 0;
  fake_cufft().fail_execution = 6;
  FAIL_WITH(cuda().fft2(device, 0, 1, 2, 7, x, x), LARMOR_CUDA_FAILED, "fft2: cufftExecC2C: CUFFT_EXEC_FAILED (6)");
  fake_cufft().fail_execution = 0;
  SUCCEED(cuda().fft2(device, 0, 1, 2, 7, x, x));
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
    for (const auto& [ny, nx] : {std::pair<uint32_t, uint32_t>{1, 1}, {12, 10}, {10, 12}, {14, 6}, {9, 10}, {10, 7}, {5, 9}, {1, 11}, {23, 1}})
      check_size(device, 3, ny, nx);
    check_size(device, 1, 20, 18);
    check_plans(device);
    check_arguments(device);
  }
  CHECK(fake_cufft().plans == 0);
  return finish();
}
