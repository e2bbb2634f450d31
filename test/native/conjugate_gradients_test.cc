// CG-SENSE solves its normal equations, from zero and from a prior, alike for any thread count.
#include "core/conjugate_gradients.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "check.h"
#include "core/coded_error.h"
#include "core/encoding.h"

using larmor::c32;

int main() {
  std::mt19937_64 random(6);
  std::normal_distribution<float> normal;
  const auto noise = [&](size_t n) {
    std::vector<c32> values(n);
    for (c32& value : values) value = {normal(random), normal(random)};
    return values;
  };
  const larmor::EncodingSizes sizes{.sets = 1, .coils = 4, .ny = 90, .nx = 101};  // more than one block of floats
  const size_t points = sizes.ny * sizes.nx;
  std::vector<c32> maps = noise(sizes.coils * points);
  for (size_t p = 0; p < points; ++p) {
    float energy = 0;
    for (size_t c = 0; c < sizes.coils; ++c) energy += maps[c * points + p].re * maps[c * points + p].re + maps[c * points + p].im * maps[c * points + p].im;
    for (size_t c = 0; c < sizes.coils; ++c)
      maps[c * points + p] = {maps[c * points + p].re / std::sqrt(energy), maps[c * points + p].im / std::sqrt(energy)};
  }
  std::vector<float> mask(sizes.nx);
  for (size_t x = 0; x < sizes.nx; ++x) mask[x] = x % 3 == 0 || (x > 40 && x < 60) ? 1.0f : 0.0f;
  const larmor::Encoding encoding(sizes, maps.data(), {mask.data(), true});
  const larmor::Serial serial;
  const auto normal_by = [&](const larmor::Parallel& parallel) {
    return [&encoding, at = &parallel](const float* from, float* to) { encoding.normal(*at, {from, false}, {to, false}); };
  };
  std::vector<c32> right(points), product(points);
  encoding.adjoint(serial, noise(sizes.coils * points).data(), {&right[0].re, false});
  const std::vector<c32> prior = noise(points);
  const larmor::ConjugateGradientOptions options{.lambda = 0.1, .iterations = 100, .tolerance = 1e-6};

  for (const c32* start : {static_cast<const c32*>(nullptr), prior.data()}) {
    std::vector<c32> x = right, y = right;
    size_t reported = 0;
    const auto progress = [&](size_t done) { reported = done; };
    const larmor::ConjugateGradientResult result = conjugate_gradients(serial, normal_by(serial), points, options, start, x.data(), progress);
    CHECK(result.converged);
    CHECK(result.iterations > 1 && result.iterations < 100 && reported == result.iterations);
    encoding.normal(serial, {&x[0].re, false}, {&product[0].re, false});
    double error = 0, energy = 0;
    for (size_t p = 0; p < points; ++p)
      for (const auto part : {&c32::re, &c32::im}) {
        const double wanted = right[p].*part + (start == nullptr ? 0 : 0.1 * static_cast<double>(prior[p].*part));
        const double got = product[p].*part + 0.1 * static_cast<double>(x[p].*part);
        error += (got - wanted) * (got - wanted);
        energy += wanted * wanted;
      }
    CHECK(std::sqrt(error / energy) < 3e-6);
    const larmor::Pooled pooled(3);
    conjugate_gradients(pooled, normal_by(pooled), points, options, start, y.data(), progress);
    CHECK(std::memcmp(x.data(), y.data(), points * sizeof(c32)) == 0);
  }

  {
    std::vector<c32> x(points, c32{0, 0});
    const auto result = conjugate_gradients(serial, normal_by(serial), points, options, nullptr, x.data(), [](size_t) {});
    CHECK(result.iterations == 0 && result.converged && result.residual == 0 && x[0].re == 0);
  }
  bool thrown = false;
  try {
    std::vector<c32> x(points, c32{std::numeric_limits<float>::infinity(), 0});
    conjugate_gradients(serial, normal_by(serial), points, options, nullptr, x.data(), [](size_t) {});
  } catch (const larmor::CodedError& error) {
    thrown = error.code() == "ERR_DIVERGED";
  }
  CHECK(thrown);
  return larmor::test::finish();
}
