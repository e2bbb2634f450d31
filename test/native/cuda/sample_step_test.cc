// Steps of k-space towards measured samples on the device, against the core's.
#include <cmath>
#include <vector>

#include "core/sample_step.h"
#include "problems.h"

namespace {

using namespace larmor;
using namespace larmor::test;

struct Present {
  bool measured, change;
};

void check_step(const OnDevice& device, const std::vector<Case>& cases, Present present) {
  const EncodingSizes& sizes = cases[0].sizes;
  const size_t n = sizes.ny * sizes.nx, samples = sizes.coils * n, all = cases.size() * samples;
  const std::vector<c32> k = noise(all, 1), y = noise(all, 2), z = noise(all, 3), dy = noise(all, 4);
  const SampleStepSizes core_sizes{sizes.coils, sizes.ny, sizes.nx};
  const float step = 0.7f;
  std::vector<c32> want(all);
  double want_gradient = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    const size_t at = i * samples;
    const MaskWeights mask{cases[i].mask.data(), cases[i].lines};
    const float* const measured = present.measured ? &y[at].re : nullptr;
    sample_step(Serial{}, core_sizes, &k[at].re, mask, step, measured, present.change ? &z[at].re : nullptr, &want[at].re);
    want_gradient += sample_step_gradient(Serial{}, core_sizes, &dy[at].re, &k[at].re, mask, measured);
  }

  const Batch batch(device, cases, false);
  LarmorCudaEncoding encoding = batch.encoding();
  encoding.device_maps = nullptr;
  const DeviceArray<c32> kspace(device, k), measured(device, y), change(device, z), slope(device, dy);
  const DeviceArray<float> length(device, std::vector<float>{step}), gradient(device, size_t{1});
  const float* const measured_or_null = present.measured ? static_cast<float*>(measured) : nullptr;
  const std::vector<float> got_gradient = in_both_orders([&] {
    SUCCEED(cuda().sample_step_gradient(device, &encoding, slope, kspace, measured_or_null, gradient));
    return gradient.get();
  });
  CHECK_CLOSE(got_gradient[0], want_gradient, 1e-5 * std::fabs(want_gradient));
  // The result lies where `change` does, or where k-space does.
  const DeviceArray<c32>& to = present.change ? change : kspace;
  SUCCEED(cuda().sample_step(device, &encoding, kspace, length, measured_or_null, present.change ? static_cast<float*>(change) : nullptr, to));
  CHECK_CLOSE(relative_error(to.get(), widen(want)), 0, 1e-7);
}

}  // namespace

int main() {
  const OnDevice device;
  for (const bool lines : {true, false})
    for (const Present present : {Present{true, true}, Present{true, false}, Present{false, false}}) {
      check_step(device, make_cases(2, {1, 3, 12, 10}, lines), present);
      check_step(device, make_cases(1, {1, 2, 17, 19}, lines), present);
    }
  LarmorCudaEncoding encoding{.batch = 1, .sets = 1, .coils = 1, .ny = 2, .nx = 2, .lines = 0, .planar = 0, .device_maps = nullptr, .device_mask = nullptr};
  FAIL_WITH(cuda().sample_step(device, &encoding, nullptr, nullptr, nullptr, nullptr, nullptr), LARMOR_CUDA_ARGUMENT, "device_mask must not be null");
  encoding.batch = 0;
  const DeviceArray<float> gradient(device, std::vector<float>{3});
  SUCCEED(cuda().sample_step_gradient(device, &encoding, nullptr, nullptr, nullptr, gradient));
  CHECK(gradient.get()[0] == 0);
  return finish();
}
