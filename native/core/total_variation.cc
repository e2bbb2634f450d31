// One pass over the rows updates the dual: the image it stands for is made on the way, a row ahead.
#include "core/total_variation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/finite_differences.h"
#include "core/kernels.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kBlockSamples = 8192;  // of the rows of one task
constexpr float kDualStep = 0.125f;     // the eigenvalues of D^H D lie between 0 and 8

/// Calls body(image, first row, end row) for blocks of rows.
template <class Body>
void each_block(const Parallel& parallel, size_t batch, size_t ny, size_t nx, Body&& body) {
  const size_t rows = std::max<size_t>(1, kBlockSamples / nx), blocks = (ny + rows - 1) / rows;
  parallel(batch * blocks, [&](size_t task) {
    const size_t first = task % blocks * rows;
    body(task / blocks, first, std::min(ny, first + rows));
  });
}

/// Row y of x - D^H dual for one image [y, x] and its dual [2, y, x].
void primal_row(size_t ny, size_t nx, size_t y, const c32* x, const c32* dual, c32* row) {
  const size_t below = y + 1 < ny ? y + 1 : 0;
  kernels().tv_primal_row(nx, x + y * nx, dual + y * nx, dual + below * nx, dual + (ny + y) * nx, row);
}

}  // namespace

double total_variation(const Parallel& parallel, size_t batch, size_t ny, size_t nx, const c32* x) {
  std::vector<c32> d(2 * batch * ny * nx);
  finite_differences(parallel, batch, ny, nx, x, d.data());
  std::vector<double> sums(batch * ny);
  parallel(sums.size(), [&](size_t row) {
    const c32 *const vertical = d.data() + (row / ny * 2 * ny + row % ny) * nx, *const horizontal = vertical + ny * nx;
    for (size_t i = 0; i < nx; ++i) {
      const double a = vertical[i].re, b = vertical[i].im, c = horizontal[i].re, e = horizontal[i].im;
      sums[row] += std::sqrt(a * a + b * b + c * c + e * e);
    }
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

TotalVariationProximal::TotalVariationProximal(size_t batch, size_t ny, size_t nx, double weight)
    : batch_(batch),
      ny_(ny),
      nx_(nx),
      weight_(weight),
      dual_(2 * batch * ny * nx, c32{0, 0}),
      point_(dual_.size()),
      next_point_(dual_.size()) {}

void TotalVariationProximal::operator()(const Parallel& parallel, double step, c32* x) {
  const auto radius = static_cast<float>(step * weight_);
  std::copy(dual_.begin(), dual_.end(), point_.begin());
  double momentum = 1;
  for (size_t iterations = 4 + calls_++ / 4; iterations > 0; --iterations) {
    const double next = (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
    update_dual(parallel, radius, static_cast<float>((momentum - 1) / next), x);
    std::swap(point_, next_point_);
    momentum = next;
  }
  each_block(parallel, batch_, ny_, nx_, [&](size_t image, size_t first, size_t end) {
    c32* const at = x + image * ny_ * nx_;
    for (size_t y = first; y < end; ++y) primal_row(ny_, nx_, y, at, dual_.data() + 2 * image * ny_ * nx_, at + y * nx_);
  });
}

/// dual = projection of point + D (x - D^H point) / 8, next point = dual + momentum (dual - dual before).
void TotalVariationProximal::update_dual(const Parallel& parallel, float radius, float momentum, const c32* x) {
  const TvStep step{.rate = kDualStep, .radius = radius, .momentum = momentum};
  const size_t points = ny_ * nx_;
  each_block(parallel, batch_, ny_, nx_, [&](size_t image, size_t first, size_t end) {
    const Scratch rows(4 * nx_);
    c32 *above = reinterpret_cast<c32*>(rows.data()), *here = above + nx_;
    const c32* const from = x + image * points;
    const c32* const point = point_.data() + 2 * image * points;
    c32 *const dual = dual_.data() + 2 * image * points, *const next = next_point_.data() + 2 * image * points;
    primal_row(ny_, nx_, (first > 0 ? first : ny_) - 1, from, point, above);
    for (size_t y = first; y < end; ++y) {
      primal_row(ny_, nx_, y, from, point, here);
      const size_t vertical = y * nx_, horizontal = points + vertical;
      kernels().tv_dual_row(nx_, step, above, here, point + vertical, point + horizontal, dual + vertical, dual + horizontal, next + vertical,
                            next + horizontal);
      std::swap(above, here);
    }
  });
}

}  // namespace larmor
