// The Gram matrix of patches against sums over all patches written out, for images and kernels around the vector width.
#include "core/patch_gram.h"

#include <cmath>
#include <random>
#include <vector>

#include "check.h"

using larmor::c64;
using larmor::Grid;

namespace {

void compare(size_t coils, Grid image, Grid kernel) {
  std::mt19937_64 random(coils * image.rows + kernel.columns);
  std::normal_distribution<double> normal;
  std::vector<c64> data(coils * image.size());
  for (c64& value : data) value = {normal(random), normal(random)};
  const size_t n = coils * kernel.size();
  const auto at = [&](size_t entry, size_t y, size_t x) {
    const size_t coil = entry / kernel.size(), o = entry % kernel.size();
    return data[(coil * image.rows + y + o / kernel.columns) * image.columns + x + o % kernel.columns];
  };
  const std::vector<c64> gram = larmor::patch_gram(larmor::Pooled(2), coils, image, data.data(), kernel);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) {
      c64 sum{0, 0};
      for (size_t y = 0; y + kernel.rows <= image.rows; ++y)
        for (size_t x = 0; x + kernel.columns <= image.columns; ++x) {
          const c64 p = at(i, y, x), q = at(j, y, x);
          sum.re += p.re * q.re + p.im * q.im;
          sum.im += p.im * q.re - p.re * q.im;
        }
      CHECK_CLOSE(gram[i * n + j].re, sum.re, 1e-13 * static_cast<double>(image.size()));
      CHECK_CLOSE(gram[i * n + j].im, sum.im, 1e-13 * static_cast<double>(image.size()));
    }
}

}  // namespace

int main() {
  compare(1, {1, 1}, {1, 1});
  compare(2, {5, 7}, {5, 7});
  compare(3, {23, 11}, {4, 3});
  compare(2, {9, 40}, {6, 5});
  compare(2, {37, 8}, {1, 6});
  compare(4, {16, 9}, {7, 1});
  return larmor::test::finish();
}
