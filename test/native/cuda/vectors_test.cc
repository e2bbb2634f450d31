// Vectors on the device against plain loops.
#include <cmath>
#include <vector>

#include "direct_dft.h"
#include "on_device.h"

namespace {

using namespace larmor;
using namespace larmor::test;

std::vector<float> values(size_t count) {
  std::vector<float> result;
  for (const c32& value : noise(count)) result.push_back(value.re);
  return result;
}

void check_length(const OnDevice& device, size_t count) {
  const std::vector<float> x = values(count);
  double energy = 0;
  for (const float v : x) energy += static_cast<double>(v) * v;
  const std::vector<float> norm = in_both_orders([&] {
    const DeviceArray<float> on_device(device, x), result(device, size_t{1});
    SUCCEED(cuda().squared_norm(device, count, on_device, result));
    return result.get();
  });
  CHECK_CLOSE(norm[0], energy, 1e-7 * energy);

  const DeviceArray<float> scaled(device, x);
  SUCCEED(cuda().scale(device, count, -2.5f, scaled));
  const std::vector<float> got = scaled.get();
  for (size_t i = 0; i < count; ++i) CHECK(got[i] == -2.5f * x[i]);

  const DeviceArray<float> to(device, x);
  SUCCEED(cuda().add_scaled(device, count, 0.5f, scaled, to));
  const std::vector<float> sums = to.get();
  for (size_t i = 0; i < count; ++i) CHECK_CLOSE(sums[i], -0.25 * x[i], 1e-6 * std::abs(x[i]));

  SUCCEED(cuda().approach(device, count, 0.3f, scaled, to));
  const std::vector<float> nearer = to.get();
  for (size_t i = 0; i < count; ++i) CHECK_CLOSE(nearer[i], -0.925 * x[i], 1e-6 * std::abs(x[i]));
  SUCCEED(cuda().copy(device, to, scaled, count * sizeof(float)));
  SUCCEED(cuda().approach(device, count, 0.3f, scaled, to));
  CHECK(to.get() == got);
}

}  // namespace

int main() {
  const OnDevice device;
  for (const size_t count : {0, 1, 31, 256, 257, 3000}) check_length(device, count);
  FAIL_WITH(cuda().scale(device, 3, 1, nullptr), LARMOR_CUDA_ARGUMENT, "scale: device_values must not be null");
  FAIL_WITH(cuda().scale(nullptr, 3, 1, nullptr), LARMOR_CUDA_ARGUMENT, "context must not be null");
  FAIL_WITH(cuda().add_scaled(device, 3, 1, nullptr, nullptr), LARMOR_CUDA_ARGUMENT, "must not be null");
  FAIL_WITH(cuda().approach(device, 3, 1, nullptr, nullptr), LARMOR_CUDA_ARGUMENT, "must not be null");
  FAIL_WITH(cuda().squared_norm(device, 3, nullptr, nullptr), LARMOR_CUDA_ARGUMENT, "must not be null");
  return finish();
}
