// Products of planes equal their sums in double; shrinking blocks is optimal, tiles the image wherever the grid begins, and splits alike.
#include "core/locally_low_rank.h"

#include <cmath>
#include <complex>
#include <cstring>
#include <random>
#include <vector>

#include "check.h"
#include "core/kernels.h"

using larmor::c32;
using larmor::c64;

namespace {

std::mt19937_64 generator(15);

std::vector<float> noise(size_t n) {
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& value : values) value = normal(generator);
  return values;
}

void check_kernels() {
  constexpr size_t rows = 5, inner = 3, n = 48;
  const std::vector<float> x = noise(2 * rows * n), entries = noise(2 * rows * inner);
  const auto at = [&](const std::vector<float>& planes, size_t row, size_t i) {
    return std::complex<double>(planes[2 * row * n + i], planes[(2 * row + 1) * n + i]);
  };
  std::vector<c64> gram(rows * rows);
  larmor::kernels().planar_gram(rows, n, x.data(), gram.data());
  for (size_t r = 0; r < rows; ++r)
    for (size_t s = 0; s <= r; ++s) {
      std::complex<double> sum = 0;
      for (size_t i = 0; i < n; ++i) sum += at(x, r, i) * std::conj(at(x, s, i));
      CHECK_CLOSE(gram[r * rows + s].re, sum.real(), 1e-12);
      CHECK_CLOSE(gram[r * rows + s].im, sum.imag(), 1e-12);
    }
  std::vector<float> y(2 * rows * n);
  larmor::kernels().planar_multiply(rows, inner, n, reinterpret_cast<const c32*>(entries.data()), x.data(), y.data());
  for (size_t r = 0; r < rows; ++r)
    for (size_t i = 0; i < n; ++i) {
      std::complex<double> sum = 0;
      for (size_t k = 0; k < inner; ++k)
        sum += std::complex<double>(entries[2 * (r * inner + k)], entries[2 * (r * inner + k) + 1]) * at(x, k, i);
      CHECK_CLOSE(y[2 * r * n + i], sum.real(), 3e-6);
      CHECK_CLOSE(y[(2 * r + 1) * n + i], sum.imag(), 3e-6);
    }
}

}  // namespace

int main() {
  check_kernels();
  const larmor::Serial serial;
  const larmor::BlockStack stack{.components = 4, .ny = 21, .nx = 18, .block = 8};
  const size_t points = stack.components * stack.ny * stack.nx;
  const std::vector<float> values = noise(2 * points);
  const auto images = [&] { return std::vector<c32>(reinterpret_cast<const c32*>(values.data()), reinterpret_cast<const c32*>(values.data()) + points); };
  const auto objective = [&](const std::vector<c32>& u, double weight) {
    double sum = 0;
    for (size_t i = 0; i < points; ++i) sum += (std::pow(u[i].re - values[2 * i], 2) + std::pow(u[i].im - values[2 * i + 1], 2)) / 2;
    return sum + weight * blocks_norm(serial, stack, u.data());
  };

  // No small step from the minimiser lowers the functional.
  std::vector<c32> u = images();
  shrink_blocks(serial, stack, 0.4, {0, 0}, u.data());
  const double least = objective(u, 0.4);
  CHECK(least < objective(images(), 0.4));
  for (int trial = 0; trial < 20; ++trial) {
    const std::vector<float> step = noise(2 * points);
    std::vector<c32> moved = u;
    for (size_t i = 0; i < points; ++i) moved[i] = {moved[i].re + 0.01f * step[2 * i], moved[i].im + 0.01f * step[2 * i + 1]};
    CHECK(objective(moved, 0.4) > least);
    for (size_t i = 0; i < points; ++i) moved[i] = {u[i].re * (1 + 0.002f * static_cast<float>(trial - 10)), u[i].im * (1 + 0.002f * static_cast<float>(trial - 10))};
    CHECK(objective(moved, 0.4) >= least * (1 - 1e-7));
  }

  // A displaced grid is a displaced image.
  const larmor::Shift shift{5, 3};
  std::vector<c32> displaced = images(), rolled(points);
  shrink_blocks(serial, stack, 0.4, shift, displaced.data());
  const auto position = [&](size_t c, size_t y, size_t x) { return (c * stack.ny + y % stack.ny) * stack.nx + x % stack.nx; };
  const std::vector<c32> original = images();
  for (size_t c = 0; c < stack.components; ++c)
    for (size_t y = 0; y < stack.ny; ++y)
      for (size_t x = 0; x < stack.nx; ++x) rolled[position(c, y, x)] = original[position(c, y + shift.y, x + shift.x)];
  shrink_blocks(larmor::Pooled(3), stack, 0.4, {0, 0}, rolled.data());
  for (size_t c = 0; c < stack.components; ++c)
    for (size_t y = 0; y < stack.ny; ++y)
      for (size_t x = 0; x < stack.nx; ++x) {
        const c32 &got = displaced[position(c, y + shift.y, x + shift.x)], &wanted = rolled[position(c, y, x)];
        CHECK(std::memcmp(&got, &wanted, sizeof got) == 0);
      }

  std::vector<c32> gone = images();
  shrink_blocks(serial, stack, 100, shift, gone.data());
  for (const c32 value : gone) CHECK(value.re == 0 && value.im == 0);
  return larmor::test::finish();
}
