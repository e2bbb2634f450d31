// The vector updates equal their sums in double; the iteration finds closed-form minimisers and begins its momentum anew.
#include "core/proximal_gradient.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.h"
#include "core/coded_error.h"
#include "core/kernels.h"

namespace {

void check_kernels() {
  std::mt19937_64 random(13);
  std::normal_distribution<float> normal;
  const larmor::Kernels& k = larmor::kernels();
  for (const size_t n : {1, 3, 4, 7, 8, 15, 16, 17, 50}) {
    std::vector<float> z(n), q(n), b(n), previous(n), x(n), next(n);
    for (auto* v : {&z, &q, &b, &previous})
      for (float& value : *v) value = normal(random);
    k.descend(n, 0.3f, z.data(), q.data(), b.data(), x.data());
    const larmor::MomentumSums sums = k.momentum_sums(n, z.data(), x.data(), previous.data());
    k.extrapolate(n, 0.7f, x.data(), previous.data(), next.data());
    double ascent = 0, change = 0, size = 0;
    for (size_t i = 0; i < n; ++i) {
      CHECK_CLOSE(x[i], z[i] - 0.3 * (q[i] - b[i]), 1e-6);
      const double difference = x[i] - previous[i];
      CHECK_CLOSE(next[i], x[i] + 0.7 * difference, 1e-6);
      ascent += (z[i] - x[i]) * difference;
      change += difference * difference;
      size += static_cast<double>(x[i]) * x[i];
    }
    CHECK_CLOSE(sums.ascent, ascent, 1e-5);
    CHECK_CLOSE(sums.change, change, 1e-5);
    CHECK_CLOSE(sums.size, size, 1e-5);
  }
}

}  // namespace

int main() {
  check_kernels();
  constexpr size_t n = 40000;  // more than one block
  const auto weight = [](size_t i) { return i % 3 == 0 ? 1.0f : i % 3 == 1 ? 0.3f : 0.02f; };
  const larmor::NormalMap normal = [&](const float* x, float* y) {
    for (size_t i = 0; i < n; ++i) y[i] = weight(i) * x[i];
  };
  const larmor::ProximalMap soft = [&](double step, float* x) {
    for (size_t i = 0; i < n; ++i) x[i] = std::copysign(std::max(0.0f, std::fabs(x[i]) - 0.25f * static_cast<float>(step)), x[i]);
  };
  std::mt19937_64 random(14);
  std::normal_distribution<float> noise;
  std::vector<float> right(n);
  for (float& value : right) value = noise(random);
  double energy = 0;  // of y = b / sqrt(weight), so that A^H y = b
  for (size_t i = 0; i < n; ++i) energy += static_cast<double>(right[i]) * right[i] / static_cast<double>(weight(i));
  const larmor::ProximalGradientOptions options{.curvature = 1, .iterations = 500, .energy = energy, .tolerance = 1e-7};
  size_t reported = 0;
  std::vector<float> x = right;
  const auto result = proximal_gradient(larmor::Serial(), n, options, normal, soft, x.data(), [&](size_t done) { reported = done; });
  CHECK(result.converged && result.restarts > 0 && result.iterations == reported && result.change <= 1e-7);
  double misfit = 0;
  for (size_t i = 0; i < n; ++i) {
    const double wanted = std::copysign(std::max(0.0, std::fabs(right[i]) - 0.25), right[i]) / weight(i);
    CHECK_CLOSE(x[i], wanted, 2e-3);  // the slowest terms have a curvature of 0.02
    misfit += std::pow(std::sqrt(weight(i)) * x[i] - right[i] / std::sqrt(weight(i)), 2) / 2;
  }
  CHECK_CLOSE(result.misfit, misfit, 1e-5 * misfit);

  std::vector<float> threaded = right;
  proximal_gradient(larmor::Pooled(3), n, options, normal, soft, threaded.data(), [](size_t) {});
  CHECK(threaded == x);

  std::vector<float> zero(n);
  const auto nothing = proximal_gradient(larmor::Serial(), n, {1, 5, 0, 1e-4}, normal, soft, zero.data(), [](size_t) {});
  CHECK(nothing.converged && nothing.misfit == 0 && zero[7] == 0);

  bool thrown = false;
  try {
    std::vector<float> bad(n, std::numeric_limits<float>::infinity());
    proximal_gradient(larmor::Serial(), n, options, normal, soft, bad.data(), [](size_t) {});
  } catch (const larmor::CodedError& error) {
    thrown = error.code() == "ERR_DIVERGED";
  }
  CHECK(thrown);
  return larmor::test::finish();
}
