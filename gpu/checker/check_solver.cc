// Conjugate gradients on (A^H A + lambda) x = b, all problems of a batch at once.
#include "core/conjugate_gradients.h"
#include "problem.h"
#include "values.h"

namespace larmor::gpu_check {
namespace {

constexpr float kLambda = 0.05f;

void check_solve(Checks& checks, const Problem& problem, uint32_t iterations) {
  const Device& device = checks.device;
  const Extent& e = problem.extent();
  const size_t image = 2 * e.sets * e.points();
  const Floats b = noise(problem.image_floats(), 14);
  const Floats want = problem.images([&](size_t i) {
    Floats x(problem.image(b, i), problem.image(b, i) + image);
    const Encoding A = problem.on_host(i);
    const NormalOperator normal = [&](const float* from, float* to) { A.normal(checks.cpu, {from, false}, {to, false}); };
    conjugate_gradients(checks.cpu, normal, image / 2, {.lambda = kLambda, .iterations = iterations, .tolerance = 0}, nullptr, complex(x.data()), [](size_t) {});
    return x;
  });
  const LarmorCudaEncoding A = problem.on_device();
  const Array right(device, problem.images([&](size_t i) { return Floats(problem.image(b, i), problem.image(b, i) + image); })), x(device, b.size()), weight(device, Floats{kLambda});
  const LarmorCudaSolve from_zero{.iterations = iterations, .regularisation = kLambda, .device_weight = nullptr, .tolerance = 0, .from_zero = 1};
  const LarmorCudaSolve weighted{.iterations = iterations, .regularisation = 0, .device_weight = weight, .tolerance = 0, .from_zero = 0};
  const std::string what = problem.words() + ", " + std::to_string(iterations) + " iterations";
  checks.compare("solve_normal", what, {{x, want}}, [&] { device.call("solve_normal", device->solve_normal, &A, &from_zero, right, x, nullptr, nullptr); });
  checks.compare("solve_normal", what + ", from x", {{x, want}}, [&] {
    device.call("fill_zero", device->fill_zero, x, b.size() * sizeof(float));
    device.call("solve_normal", device->solve_normal, &A, &weighted, right, x, nullptr, nullptr);
  });
}

}  // namespace

void check_solver(Checks& checks) {
  // Fewer than a small problem has unknowns: what follows the exact solution is rounding alone.
  each_problem(checks, false, "solve_normal", [&](const Problem& problem) { check_solve(checks, problem, problem.extent().points() > 1000 ? 30 : 4); });
}

}  // namespace larmor::gpu_check
