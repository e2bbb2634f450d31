// Finite differences against their definition, and the proximal map of total variation against what makes it one: with p the dual,
// u = x - D^H p, |p| <= radius everywhere, and <p, D u> = radius TV(u).
#include "core/total_variation.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "check.h"
#include "core/finite_differences.h"
#include "core/kernels.h"

using larmor::c32;
using larmor::Serial;

namespace {

std::vector<c32> noise(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<c32> x(n);
  for (c32& value : x) value = {normal(random), normal(random)};
  return x;
}

double largest_difference(const std::vector<c32>& a, const std::vector<c32>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max({largest, std::fabs(double{a[i].re} - b[i].re), std::fabs(double{a[i].im} - b[i].im)});
  return largest;
}

/// 1/2 ||u - x||^2 + radius TV(u)
double objective(size_t batch, size_t ny, size_t nx, double radius, const std::vector<c32>& x, const std::vector<c32>& u) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += std::pow(double{u[i].re} - x[i].re, 2) + std::pow(double{u[i].im} - x[i].im, 2);
  return sum / 2 + radius * larmor::total_variation(Serial{}, batch, ny, nx, u.data());
}

/// The wide rows against the formulas, at a length around the vector width.
void rows(size_t n) {
  const auto x = noise(n, 1), above = noise(n, 2), point_v = noise(n, 3), point_h = noise(n, 4), below = noise(n, 5);
  std::vector<c32> row(n), want(n);
  larmor::kernels().tv_primal_row(n, x.data(), point_v.data(), below.data(), point_h.data(), row.data());
  for (size_t i = 0; i < n; ++i) {
    const c32 right = point_h[(i + 1) % n];
    want[i] = {x[i].re - point_v[i].re + below[i].re - point_h[i].re + right.re, x[i].im - point_v[i].im + below[i].im - point_h[i].im + right.im};
  }
  CHECK(largest_difference(row, want) < 1e-6 * 10);

  const larmor::TvStep step{.rate = 0.125f, .radius = 0.9f, .momentum = 0.4f};
  auto dual_v = noise(n, 6), dual_h = noise(n, 7);
  auto want_v = dual_v, want_h = dual_h;
  std::vector<c32> next_v(n), next_h(n), want_next_v(n), want_next_h(n);
  for (size_t i = 0; i < n; ++i) {
    const c32 left = row[(i + n - 1) % n];
    double v[2] = {point_v[i].re + 0.125 * (row[i].re - above[i].re), point_v[i].im + 0.125 * (row[i].im - above[i].im)};
    double h[2] = {point_h[i].re + 0.125 * (row[i].re - left.re), point_h[i].im + 0.125 * (row[i].im - left.im)};
    const double factor = 1 / std::max(1.0, std::sqrt(v[0] * v[0] + v[1] * v[1] + h[0] * h[0] + h[1] * h[1]) / step.radius);
    const c32 new_v{static_cast<float>(factor * v[0]), static_cast<float>(factor * v[1])}, new_h{static_cast<float>(factor * h[0]), static_cast<float>(factor * h[1])};
    want_next_v[i] = {new_v.re + step.momentum * (new_v.re - want_v[i].re), new_v.im + step.momentum * (new_v.im - want_v[i].im)};
    want_next_h[i] = {new_h.re + step.momentum * (new_h.re - want_h[i].re), new_h.im + step.momentum * (new_h.im - want_h[i].im)};
    want_v[i] = new_v;
    want_h[i] = new_h;
  }
  larmor::kernels().tv_dual_row(n, step, above.data(), row.data(), point_v.data(), point_h.data(), dual_v.data(), dual_h.data(), next_v.data(), next_h.data());
  CHECK(largest_difference(dual_v, want_v) < 1e-6);
  CHECK(largest_difference(dual_h, want_h) < 1e-6);
  CHECK(largest_difference(next_v, want_next_v) < 1e-6 * 2);
  CHECK(largest_difference(next_h, want_next_h) < 1e-6 * 2);
}

}  // namespace

int main() {
  for (const size_t n : {1, 2, 3, 7, 8, 9, 16, 17, 18, 31, 33, 64, 65}) rows(n);

  const size_t batch = 2, ny = 23, nx = 37;
  const double weight = 0.5;
  const auto x = noise(batch * ny * nx, 8);

  std::vector<c32> u = x;
  larmor::TotalVariationProximal proximal(batch, ny, nx, weight);
  for (int call = 0; call < 60; ++call) {  // each starts at the dual of the one before
    u = x;
    proximal(Serial{}, 1, u.data());
  }
  // At the minimum, no direction leads down; total variation is not smooth, so steps of either sign may only lead up.
  const double least = objective(batch, ny, nx, weight, x, u);
  for (unsigned seed = 20; seed < 40; ++seed)
    for (const double size : {-1e-3, 1e-3}) {
      const auto direction = noise(x.size(), seed);
      auto moved = u;
      for (size_t i = 0; i < moved.size(); ++i) {
        moved[i].re += static_cast<float>(size) * direction[i].re;
        moved[i].im += static_cast<float>(size) * direction[i].im;
      }
      CHECK(objective(batch, ny, nx, weight, x, moved) > least);
    }
  // The duality gap: with w = x - u = D^H p, the least value is 1/2 ||x||^2 - 1/2 ||u||^2 (that of the dual).
  double dual_value = 0;
  for (size_t i = 0; i < x.size(); ++i)
    dual_value += (double{x[i].re} * x[i].re + double{x[i].im} * x[i].im - double{u[i].re} * u[i].re - double{u[i].im} * u[i].im) / 2;
  CHECK_CLOSE(least / dual_value, 1, 1e-5);

  std::vector<c32> threaded = x;
  larmor::TotalVariationProximal other(batch, ny, nx, weight);
  for (int call = 0; call < 60; ++call) {
    threaded = x;
    other(larmor::Pooled(3), 1, threaded.data());
  }
  CHECK(largest_difference(u, threaded) == 0);

  std::vector<c32> flat(ny * nx, c32{2, -1});
  CHECK(larmor::total_variation(Serial{}, 1, ny, nx, flat.data()) == 0);
  flat[5 * nx + 6].re += 3;  // its own pixel: sqrt(9 + 9); the ones right of it and below: 3 each
  CHECK_CLOSE(larmor::total_variation(Serial{}, 1, ny, nx, flat.data()), 3 * std::sqrt(2.0) + 6, 1e-6);
  return larmor::test::finish();
}
