// One small Cholesky factorisation per set of aliased pixels.
#include "core/gfactor.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/cholesky.h"
#include "core/kernels.h"

namespace larmor {
namespace {

/// g of `count` pixels whose maps are the rows of `s` [count, coils].
void aliased_gfactor(size_t count, size_t coils, const c64* s, c64* gram, c64* solution, double* g) {
  for (size_t i = 0; i < count; ++i)
    for (size_t j = 0; j < count; ++j) gram[i * count + j] = kernels().complex_dot(coils, s + i * coils, s + j * coils);
  for (size_t i = 0; i < count; ++i) g[i] = gram[i * count + i].re;
  if (!cholesky_factor(Serial{}, count, gram)) {
    std::fill(g, g + count, std::numeric_limits<double>::infinity());
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    std::fill(solution, solution + count, c64{0, 0});
    solution[i] = {1, 0};
    cholesky_solve(count, gram, 1, solution);
    g[i] = std::sqrt(g[i] * solution[i].re);
  }
}

}  // namespace

void sense_gfactor(const Parallel& parallel, size_t coils, size_t ny, size_t nx, size_t ry, size_t rx, const c32* maps, float* g) {
  const size_t most = ry * rx;
  parallel(ny / ry, [&](size_t y) {
    std::vector<c64> s(most * coils), gram(most * most), solution(most);
    std::vector<double> values(most);
    std::vector<size_t> pixels(most);
    for (size_t x = 0; x < nx / rx; ++x) {
      size_t count = 0;
      for (size_t i = 0; i < most; ++i) {
        const size_t pixel = (y + i / rx * (ny / ry)) * nx + x + i % rx * (nx / rx);
        bool seen = false;
        for (size_t c = 0; c < coils; ++c) {
          const c32 value = maps[c * ny * nx + pixel];
          s[count * coils + c] = {value.re, value.im};
          seen = seen || value.re != 0 || value.im != 0;
        }
        g[pixel] = 0;
        if (seen) pixels[count++] = pixel;
      }
      aliased_gfactor(count, coils, s.data(), gram.data(), solution.data(), values.data());
      for (size_t i = 0; i < count; ++i) g[pixels[i]] = static_cast<float>(values[i]);
    }
  });
}

}  // namespace larmor
