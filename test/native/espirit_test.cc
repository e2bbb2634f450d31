// ESPIRiT on sizes that fill no register or block: unit maps, one answer for any thread count, both ways to the patch space.
#include "core/espirit.h"

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "check.h"
#include "core/coded_error.h"
#include "core/patch_space.h"

namespace {

using larmor::c32;
using larmor::c64;

struct Maps {
  std::vector<c32> maps;
  std::vector<float> values;
};

Maps estimate(int threads, size_t coils, size_t ny, size_t nx, const std::vector<c32>& kspace, const larmor::CalibrationRegion& region,
              const larmor::EspiritOptions& options) {
  Maps result{std::vector<c32>(options.sets * coils * ny * nx), std::vector<float>(options.sets * ny * nx)};
  size_t last = 0;
  larmor::espirit(larmor::Pooled(threads), {coils, ny, nx, kspace.data()}, region, options, {ny, nx}, result.maps.data(), result.values.data(),
                  [&](size_t done) {
                    if (threads == 1) CHECK(done == last + 1);
                    last = done;
                  });
  if (threads == 1) CHECK(last == larmor::espirit_steps(ny));
  return result;
}

void check_unit(const Maps& result, size_t sets, size_t coils, size_t plane) {
  for (size_t s = 0; s < sets; ++s)
    for (size_t p = 0; p < plane; ++p) {
      double energy = 0;
      for (size_t c = 0; c < coils; ++c) {
        const c32 value = result.maps[(s * coils + c) * plane + p];
        energy += value.re * value.re + value.im * value.im;
      }
      CHECK_CLOSE(energy, 1, 1e-5);
      CHECK(result.values[s * plane + p] < 1.0001f);
    }
}

/// Energy of `data`'s patch at (y, x) inside the space, relative to all of it.
double share(const larmor::PatchSpace& space, size_t coils, size_t rows, size_t columns, const std::vector<c64>& data, size_t kernel, size_t y,
             size_t x) {
  double inside = 0, total = 0;
  for (size_t k = 0; k < space.count; ++k) {
    double re = 0, im = 0;
    size_t entry = 0;
    for (size_t c = 0; c < coils; ++c)
      for (size_t oy = 0; oy < kernel; ++oy)
        for (size_t ox = 0; ox < kernel; ++ox, ++entry) {
          const c64 value = data[(c * rows + y + oy) * columns + x + ox];
          const double wr = space.re[entry * space.count + k], wi = space.im[entry * space.count + k];
          re += wr * value.re + wi * value.im;
          im += wr * value.im - wi * value.re;
          if (k == 0) total += value.re * value.re + value.im * value.im;
        }
    inside += re * re + im * im;
  }
  return inside / total;
}

}  // namespace

int main() {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  struct Case {
    size_t coils, ny, nx, sets, kernel;
    larmor::CalibrationRegion region;
  };
  for (const Case& test : {Case{3, 19, 23, 2, 3, {4, 12, 11, 12}}, Case{1, 7, 5, 1, 2, {0, 7, 0, 5}}, Case{9, 33, 16, 3, 4, {29, 4, 0, 16}},
                           Case{2, 8, 40, 1, 1, {3, 1, 20, 1}}}) {
    std::vector<c32> kspace(test.coils * test.ny * test.nx);
    for (c32& value : kspace) value = {static_cast<float>(normal(random)), static_cast<float>(normal(random))};
    const larmor::EspiritOptions options{.kernel = test.kernel, .threshold = 0.3, .sets = test.sets};
    const Maps one = estimate(1, test.coils, test.ny, test.nx, kspace, test.region, options);
    const Maps three = estimate(3, test.coils, test.ny, test.nx, kspace, test.region, options);
    CHECK(std::memcmp(one.maps.data(), three.maps.data(), one.maps.size() * sizeof(c32)) == 0);
    CHECK(std::memcmp(one.values.data(), three.values.data(), one.values.size() * sizeof(float)) == 0);
    check_unit(one, test.sets, test.coils, test.ny * test.nx);
  }

  // With a threshold of almost nothing every patch lies in the space, whichever Gram matrix it came from.
  for (size_t rows : {9, 14}) {  // 5 x 3 patches of 2 * 25 entries, 10 x 7 patches
    const size_t coils = 2, columns = rows == 9 ? 7 : 11, kernel = 5;
    std::vector<c64> data(coils * rows * columns);
    for (c64& value : data) value = {normal(random), normal(random)};
    const larmor::PatchSpace space = larmor::patch_space(larmor::Serial{}, coils, rows, columns, data.data(), kernel, 1e-12);
    CHECK(space.count == (rows == 9 ? 15u : 50u));
    CHECK_CLOSE(share(space, coils, rows, columns, data, kernel, 0, 0), 1, 1e-9);
    CHECK_CLOSE(share(space, coils, rows, columns, data, kernel, rows - 5, columns - 5), 1, 1e-9);
  }

  bool thrown = false;
  try {
    const std::vector<c64> zeros(64);
    larmor::patch_space(larmor::Serial{}, 1, 8, 8, zeros.data(), 3, 0.001);
  } catch (const larmor::CodedError& error) {
    thrown = error.code() == "ERR_CALIBRATION";
  }
  CHECK(thrown);
  return larmor::test::finish();
}
