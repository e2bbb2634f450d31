// Conjugate gradients on the device: the core's iterates, the equation's solution, problems that end on their own, and results equal to the bit.
#include <cmath>
#include <limits>
#include <vector>

#include "core/conjugate_gradients.h"
#include "problems.h"

namespace {

using namespace larmor;
using namespace larmor::test;

/// What the core's iteration gives for one problem, from zero.
ConjugateGradientResult core_solve(const Case& c, const ConjugateGradientOptions& options, std::vector<c32>& x) {
  const Encoding encoding = c.encoding();
  const auto normal = [&](const float* from, float* to) { encoding.normal(Serial{}, {from, false}, {to, false}); };
  return conjugate_gradients(Serial{}, normal, x.size(), options, nullptr, x.data(), [](size_t) {});
}

void check_against_core(const OnDevice& device, const std::vector<Case>& cases, bool planar) {
  const size_t n = cases[0].sizes.sets * cases[0].points();
  const std::vector<c32> b = noise(cases.size() * n, 8);
  const ConjugateGradientOptions core_options{.lambda = 0.2, .iterations = 7, .tolerance = 0};
  std::vector<c32> want;
  std::vector<double> left;
  for (size_t i = 0; i < cases.size(); ++i) {
    std::vector<c32> x(b.begin() + static_cast<std::ptrdiff_t>(i * n), b.begin() + static_cast<std::ptrdiff_t>((i + 1) * n));
    left.push_back(core_solve(cases[i], core_options, x).residual);
    want.insert(want.end(), x.begin(), x.end());
  }
  const Batch batch(device, cases, planar);
  const LarmorCudaEncoding encoding = batch.encoding();
  const DeviceArray<float> right(device, batch.flat(b)), weight(device, std::vector<float>{0.2f}), x(device, 2 * b.size());
  const auto run = [&](const LarmorCudaSolve& solve) {
    if (solve.from_zero == 0) SUCCEED(cuda().fill_zero(device, x, 2 * b.size() * sizeof(float)));
    std::vector<uint32_t> iterations(cases.size());
    std::vector<float> residuals(cases.size());
    SUCCEED(cuda().solve_normal(device, &encoding, &solve, right, x, iterations.data(), residuals.data()));
    for (size_t i = 0; i < cases.size(); ++i) {
      CHECK(iterations[i] == 7);
      CHECK_CLOSE(residuals[i], left[i], 1e-4 * left[i]);
    }
    return x.get();
  };
  const LarmorCudaSolve by_value{.iterations = 7, .regularisation = 0.2f, .device_weight = nullptr, .tolerance = 0, .from_zero = 1};
  const LarmorCudaSolve by_weight{.iterations = 7, .regularisation = 0, .device_weight = weight, .tolerance = 0, .from_zero = 0};
  const std::vector<float> got = in_both_orders([&] { return run(by_value); });
  // Rounding grows with the iterations, by the condition of the problem.
  CHECK_CLOSE(relative_error(batch.images(got), widen(want)), 0, 1e-5);
  CHECK(run(by_weight) == got);
}

void check_tolerance(const OnDevice& device) {
  // The first problem's maps are unitary and its mask full, so that one step solves it; the other one takes its time.
  std::vector<Case> cases = make_cases(2, {1, 2, 12, 10}, true);
  for (c32& value : cases[0].maps) value = {0.6f, 0.8f};
  cases[0].mask.assign(cases[0].mask.size(), 1);
  const size_t n = cases[0].points();
  const std::vector<c32> b = noise(2 * n, 9), start = noise(2 * n, 10);
  const Batch batch(device, cases, true);
  const LarmorCudaEncoding encoding = batch.encoding();
  const DeviceArray<float> right(device, batch.flat(b)), x(device, batch.flat(start));
  const LarmorCudaSolve solve{.iterations = 200, .regularisation = 0.05f, .device_weight = nullptr, .tolerance = 1e-5f, .from_zero = 0};
  std::vector<uint32_t> iterations(2);
  std::vector<float> residuals(2);
  SUCCEED(cuda().solve_normal(device, &encoding, &solve, right, x, iterations.data(), residuals.data()));
  CHECK(iterations[0] == 1 && iterations[1] > 3 && iterations[1] < 100);
  CHECK(residuals[0] <= 1e-5f && residuals[1] <= 1e-5f);
  const std::vector<c32> solution = batch.images(x.get());
  double error = 0, norm = 0;
  for (size_t i = 0; i < 2; ++i) {
    const std::vector<c32> one(solution.begin() + static_cast<std::ptrdiff_t>(i * n), solution.begin() + static_cast<std::ptrdiff_t>((i + 1) * n));
    const std::vector<Complex> product = encode_adjoint(cases[i], encode(cases[i], one));
    for (size_t j = 0; j < n; ++j) {
      const Complex wanted(b[i * n + j].re, b[i * n + j].im);
      error += std::norm(product[j] + 0.05 * Complex(one[j].re, one[j].im) - wanted);
      norm += std::norm(wanted);
    }
  }
  CHECK(std::sqrt(error / norm) < 2e-5);

  const std::vector<c32> nothing(2 * n);
  right.set(batch.flat(nothing));
  const LarmorCudaSolve zero{.iterations = 5, .regularisation = 1, .device_weight = nullptr, .tolerance = 0, .from_zero = 1};
  SUCCEED(cuda().solve_normal(device, &encoding, &zero, right, x, iterations.data(), residuals.data()));
  CHECK(iterations[0] == 0 && residuals[0] == 0 && x.get() == batch.flat(nothing));
}

void check_failures(const OnDevice& device) {
  const std::vector<Case> cases = make_cases(1, {1, 2, 4, 4}, false);
  const Batch batch(device, cases, true);
  const LarmorCudaEncoding encoding = batch.encoding();
  const DeviceArray<float> b(device, std::vector<float>(32, 1)), x(device, std::vector<float>(32, 0)), weight(device, std::vector<float>{-1});
  LarmorCudaSolve solve{.iterations = 2, .regularisation = 0.1f, .device_weight = weight, .tolerance = 0, .from_zero = 0};
  float residual = 0;
  FAIL_WITH(cuda().solve_normal(device, &encoding, &solve, b, x, nullptr, &residual), LARMOR_CUDA_FAILED, "problem 0 left the finite numbers");
  CHECK(std::isnan(x.get()[5]));
  b.set(std::vector<float>(32, std::numeric_limits<float>::infinity()));
  solve.device_weight = nullptr;
  FAIL_WITH(cuda().solve_normal(device, &encoding, &solve, b, x, nullptr, &residual), LARMOR_CUDA_FAILED, "left the finite numbers");
  FAIL_WITH(cuda().solve_normal(device, &encoding, &solve, b, b, nullptr, nullptr), LARMOR_CUDA_ARGUMENT, "must be two arrays");
  FAIL_WITH(cuda().solve_normal(device, &encoding, nullptr, b, x, nullptr, nullptr), LARMOR_CUDA_ARGUMENT, "solve must not be null");
  solve.regularisation = -1;
  FAIL_WITH(cuda().solve_normal(device, &encoding, &solve, b, x, nullptr, nullptr), LARMOR_CUDA_ARGUMENT, "regularisation must be 0 or more, got -1");
  solve.regularisation = 1;
  solve.tolerance = -1;
  FAIL_WITH(cuda().solve_normal(device, &encoding, &solve, b, x, nullptr, nullptr), LARMOR_CUDA_ARGUMENT, "tolerance must be 0 or more, got -1");
}

}  // namespace

int main() {
  const OnDevice device;
  for (const bool lines : {true, false}) {
    check_against_core(device, make_cases(2, {1, 3, 12, 10}, lines), true);
    check_against_core(device, make_cases(1, {2, 3, 7, 6}, lines), false);
  }
  check_tolerance(device);
  check_failures(device);
  return finish();
}
