// A^H A of masks of lines with larmor's own transforms of rows: every radix, coils in several rounds, and where cuFFT takes over.
#include <vector>

#include "problems.h"

namespace {

using namespace larmor;
using namespace larmor::test;

constexpr double kTolerance = 1e-6;

struct Sizes {
  size_t cases;
  EncodingSizes sizes;
  bool own;  // without cuFFT
};

void check(const OnDevice& device, const Sizes& sizes) {
  std::vector<Case> cases = make_cases(sizes.cases, sizes.sizes, true);
  for (Case& c : cases) c.mask.back() = 1.5f;
  const size_t image = sizes.sizes.sets * cases[0].points();
  const std::vector<c32> x = noise(cases.size() * image, 4);
  const auto want = each_case(cases, [&](const Case& c, size_t i) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(i * image);
    return encode_adjoint(c, encode(c, {first, first + static_cast<std::ptrdiff_t>(image)}));
  });
  const Batch batch(device, cases, true);
  const LarmorCudaEncoding encoding = batch.encoding();
  const uint64_t plans = fake_cufft().plans_made;
  const std::vector<float> got = in_both_orders([&] {
    const DeviceArray<float> in_place(device, batch.flat(x));
    SUCCEED(cuda().encode_normal(device, &encoding, in_place, in_place));
    return in_place.get();
  });
  CHECK_CLOSE(relative_error(batch.images(got), want), 0, kTolerance);
  CHECK((fake_cufft().plans_made == plans) == sizes.own);
}

}  // namespace

int main() {
  const OnDevice device;
  for (const size_t nx : {1, 2, 3, 4, 5, 7, 8, 30, 64, 105, 126}) check(device, {1, {1, 2, 2, nx}, true});
  check(device, {1, {1, 7, 1, 360}, true});   // five coils at once, then two
  check(device, {2, {2, 3, 2, 320}, true});
  check(device, {1, {1, 1, 1, 1080}, true});  // nearly the longest that fits
  check(device, {1, {1, 1, 1, 1125}, false});
  for (const size_t nx : {11, 37, 368}) check(device, {2, {1, 2, 2, nx}, false});
  return finish();
}
