// Transforms of every length against the direct DFT in double precision, both axes, both directions, for any thread count.
#include "core/fft.h"

#include <cstring>
#include <vector>

#include "check.h"
#include "core/fft_plan.h"
#include "direct_dft.h"

namespace {

using namespace larmor::test;
using larmor::c32;

constexpr double kTolerance = 1e-6;  // float32 with double twiddles stays below it at every length tested

void check_length(size_t n) {
  constexpr size_t kRows = 5;
  const std::vector<c32> x = noise(kRows * n);
  for (const bool inverse : {false, true}) {
    std::vector<Complex> want = widen(x);
    for (size_t r = 0; r < kRows; ++r) direct_dft(inverse, n, 1, r * n, want);
    std::vector<c32> got(x.size());
    larmor::fft_rows(larmor::Serial{}, inverse, kRows, n, x.data(), got.data());
    CHECK_CLOSE(relative_error(got, want), 0, kTolerance);

    want = widen(x);
    for (size_t r = 0; r < kRows; ++r) direct_dft(inverse, n, kRows, r, want);
    larmor::fft_columns(larmor::Serial{}, inverse, 1, n, kRows, x.data(), got.data());
    CHECK_CLOSE(relative_error(got, want), 0, kTolerance);
  }
  if (larmor::test::failures != 0) std::fprintf(stderr, "at length %zu\n", n);
}

void check_image(size_t batch, size_t ny, size_t nx) {
  const std::vector<c32> x = noise(batch * ny * nx);
  for (const bool inverse : {false, true}) {
    std::vector<Complex> want = widen(x);
    direct_dft2(inverse, ny, nx, want);
    std::vector<c32> got(x.size()), again = x;
    larmor::fft2(larmor::Serial{}, inverse, batch, ny, nx, x.data(), got.data());
    CHECK_CLOSE(relative_error(got, want), 0, kTolerance);
    larmor::fft2(larmor::Pooled{3}, inverse, batch, ny, nx, again.data(), again.data());
    CHECK(std::memcmp(got.data(), again.data(), got.size() * sizeof(c32)) == 0);
  }
}

}  // namespace

int main() {
  for (size_t n = 1; n <= 64; ++n) check_length(n);
  for (const size_t n : {67, 93, 97, 101, 127, 169, 320, 368, 372, 396, 640, 768, 1021}) check_length(n);
  check_image(1, 1, 1);
  check_image(3, 17, 31);
  check_image(9, 33, 20);
  check_image(1, 107, 40);
  bool refused = false;
  try {
    larmor::fft_plan(0);
  } catch (const std::exception&) {
    refused = true;
  }
  CHECK(refused);
  return larmor::test::finish();
}
