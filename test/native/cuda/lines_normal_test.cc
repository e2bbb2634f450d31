// A^H A of masks of lines with larmor's own transforms of rows: coils in several rounds, several rows in a block, and where cuFFT takes over.
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
  const DeviceArray<float> from(device, batch.flat(x)), to(device, 2 * x.size());
  SUCCEED(cuda().encode_normal(device, &encoding, from, to));
  CHECK(to.get() == got);
  CHECK((fake_cufft().plans_made == plans) == sizes.own);
}

}  // namespace

int main() {
  const OnDevice device;
  for (const size_t nx : {1, 2, 7, 30, 62}) check(device, {1, {1, 2, 2, nx}, true});
  check(device, {1, {1, 3, 11, 12}, true});   // five rows in a block, and one left
  check(device, {2, {1, 20, 2, 36}, true});   // ten coils at once
  check(device, {2, {2, 3, 2, 320}, true});
  check(device, {1, {1, 3, 1, 1125}, true});  // two lines in a tile
  check(device, {1, {1, 3, 1, 4096}, true});  // the longest, one line in a tile
  check(device, {1, {1, 1, 1, 4098}, false});
  check(device, {2, {1, 2, 2, 37}, false});
  return finish();
}
