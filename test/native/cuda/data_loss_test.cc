// The fused loss on the device against the one of the core.
#include <cmath>
#include <vector>

#include "core/data_loss.h"
#include "problems.h"

namespace {

using namespace larmor;
using namespace larmor::test;

constexpr double kTolerance = 1e-6;

void check_loss(const OnDevice& device, const std::vector<Case>& cases, LossNorm norm, bool holds_out, bool planar) {
  const EncodingSizes& sizes = cases[0].sizes;
  const size_t n = sizes.ny * sizes.nx, samples = cases.size() * sizes.coils * n;
  const std::vector<c32> x = noise(cases.size() * n, 6), y = noise(samples, 7), maps = each_case(cases, [](const Case& c, size_t) { return c.maps; });
  std::vector<Case> training = cases;
  std::vector<float> held;
  for (Case& c : training)
    for (size_t i = 0; i < c.mask.size(); ++i) {
      held.push_back(holds_out && i % 3 == 1 ? c.mask[i] : 0);
      c.mask[i] -= held.back();
    }
  const auto mask = each_case(training, [](const Case& c, size_t) { return c.mask; });
  const std::vector<float> image = planes(x, n);
  std::vector<float> want(image.size());
  const Measurements measured{cases.size(), sizes.coils, sizes.ny, sizes.nx, maps.data(), y.data(), mask.data(), held.data(), cases[0].lines};
  const DataLossValue value = data_loss(Serial{}, norm, measured, image.data(), want.data());

  const Batch batch(device, training, planar);
  const LarmorCudaEncoding encoding = batch.encoding();
  const DeviceArray<float> on_device(device, batch.flat(x)), held_out(device, held), loss(device, size_t{1}), held_out_loss(device, size_t{1});
  const DeviceArray<c32> kspace(device, y);
  const auto run = [&] {
    const DeviceArray<float> gradient(device, image.size());
    SUCCEED(cuda().data_loss(device, norm == LossNorm::kL1 ? 1 : 2, &encoding, held_out, on_device, kspace, loss, held_out_loss, gradient));
    std::vector<float> result = gradient.get();
    result.push_back(loss.get()[0]);
    result.push_back(held_out_loss.get()[0]);
    return result;
  };
  std::vector<float> got = in_both_orders(run);
  CHECK_CLOSE(got[image.size()], value.loss, kTolerance * static_cast<double>(value.loss));
  CHECK_CLOSE(got[image.size() + 1], value.held_out_loss, kTolerance * static_cast<double>(value.held_out_loss));
  CHECK((value.held_out_loss > 0) == holds_out);
  got.resize(image.size());
  std::vector<c32> truth(x.size());
  for (size_t i = 0; i < truth.size(); ++i) truth[i] = {want[i / n * 2 * n + i % n], want[i / n * 2 * n + n + i % n]};
  CHECK_CLOSE(relative_error(batch.images(got), widen(truth)), 0, kTolerance);

  // Coil by coil, where the sums of a slice come from several launches, and into the image itself: memory for a plane, cuFFT's work area, the
  // image, phases, sums.
  SUCCEED(cuda().trim(device));
  const size_t memory = emulator::machine().memory;
  emulator::machine().memory = emulator::machine().used + (3 * n + sizes.ny + sizes.nx) * sizeof(c32) + 32 * sizes.coils * cases.size() + 36;
  SUCCEED(cuda().data_loss(device, norm == LossNorm::kL1 ? 1 : 2, &encoding, held_out, on_device, kspace, loss, held_out_loss, on_device));
  emulator::machine().memory = memory;
  CHECK_CLOSE(loss.get()[0], value.loss, kTolerance * static_cast<double>(value.loss));
  CHECK_CLOSE(relative_error(batch.images(on_device.get()), widen(truth)), 0, kTolerance);
}

void check_edges(const OnDevice& device) {
  std::vector<Case> cases = make_cases(1, {1, 2, 4, 6}, true);
  cases[0].mask.assign(6, 1);
  const Batch batch(device, cases, true);
  LarmorCudaEncoding encoding = batch.encoding();
  const DeviceArray<float> held_out(device, std::vector<float>(6, 0)), image(device, std::vector<float>(48, 1)), one(device, size_t{1}), two(device, size_t{1}),
      gradient(device, size_t{48});
  const DeviceArray<c32> zeros(device, std::vector<c32>(48)), y(device, size_t{48});
  SUCCEED(cuda().data_loss(device, 1, &encoding, held_out, image, zeros, one, two, gradient));
  CHECK(std::isnan(one.get()[0]));
  // A residual of 0 has no direction.
  SUCCEED(cuda().encode(device, &encoding, image, y));
  SUCCEED(cuda().data_loss(device, 2, &encoding, held_out, image, y, one, two, gradient));
  CHECK(one.get()[0] == 0 && two.get()[0] == 0 && gradient.get() == std::vector<float>(48, 0));
  FAIL_WITH(cuda().data_loss(device, 3, &encoding, held_out, image, y, one, two, gradient), LARMOR_CUDA_ARGUMENT, "norm must be 1 or 2, got 3");
  FAIL_WITH(cuda().data_loss(device, 1, &encoding, nullptr, image, y, one, two, gradient), LARMOR_CUDA_ARGUMENT, "must not be null");
  encoding.batch = 0;
  FAIL_WITH(cuda().data_loss(device, 1, &encoding, held_out, image, y, one, two, gradient), LARMOR_CUDA_ARGUMENT, "batch must be 1 or more");
}

}  // namespace

int main() {
  const OnDevice device;
  for (const LossNorm norm : {LossNorm::kL1, LossNorm::kL2})
    for (const bool lines : {true, false}) {
      check_loss(device, make_cases(2, {1, 3, 12, 10}, lines), norm, true, true);
      check_loss(device, make_cases(1, {1, 2, 5, 7}, lines), norm, false, false);
      check_loss(device, make_cases(2, {1, 3, 12, 40}, lines), norm, true, true);  // columns of three tiles
    }
  check_edges(device);
  return finish();
}
