// The custom operator that solves for the image: data consistency by conjugate gradients, one image of the batch after the other.
#include <algorithm>
#include <cmath>
#include <string>

#include "core/coded_error.h"
#include "core/conjugate_gradients.h"
#include "ort/custom_op.h"
#include "ort/custom_ops.h"
#include "ort/physics.h"

namespace larmor::ort {
namespace {

/// x = (A^H A + weight)^-1 b. Planes of real and imaginary parts do for the solver, which sees real vectors only.
class SolveNormal {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32, kFloat32, kFloat32}, {kFloat32}}; }
  explicit SolveNormal(const Attributes& attributes) : iterations_(attributes.integer("iterations", 10)) {
    if (iterations_ < 1)
      throw CodedError("ERR_GRAPH", std::string(kName) + ": iterations must be 1 or more, got " + std::to_string(iterations_));
  }
  void compute(Context& context) const {
    const Physics physics(kName, context, 1);
    const auto b = physics.input(context, 0, "b", physics.image), mask = physics.mask(context, 2, "mask");
    const auto weight = physics.input(context, 3, "weight", {1});
    const float mu = weight.data[0];
    if (!(mu > 0) || !std::isfinite(mu))
      throw CodedError("ERR_DIVERGED", std::string(kName) + ": weight must be positive and finite, got " + std::to_string(mu) +
                                           "; where it is trained, lower the learning rate");
    float* const x = context.output<float>(0, physics.image);
    const size_t points = physics.ny * physics.nx;
    const ConjugateGradientOptions options{.lambda = mu, .iterations = static_cast<size_t>(iterations_), .tolerance = 0};
    std::copy_n(b.data, 2 * physics.batch * points, x);
    for (size_t i = 0; i < physics.batch; ++i) {
      const Encoding encoding = physics.encoding(i, mask);
      const auto normal = [&](const float* from, float* to) { encoding.normal(context.parallel(), {from, true}, {to, true}); };
      conjugate_gradients(context.parallel(), normal, points, options, nullptr, reinterpret_cast<c32*>(x) + i * points, [](size_t) {});
    }
  }

 private:
  static constexpr const char* kName = "SolveNormal";
  int64_t iterations_;
};

}  // namespace

std::vector<const OrtCustomOp*> solver_ops() { return {CustomOp<SolveNormal>::instance()}; }

}  // namespace larmor::ort
