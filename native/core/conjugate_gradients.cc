// Hestenes and Stiefel's iteration; vectors are updated in blocks of fixed size, whose sums are added in order.
#include "core/conjugate_gradients.h"

#include <algorithm>
#include <cmath>

#include "core/coded_error.h"
#include "core/kernels.h"
#include "core/scratch.h"
#include "core/vector_blocks.h"

namespace larmor {
namespace {

double finite(double value) {
  if (!std::isfinite(value)) throw CodedError("ERR_DIVERGED", "conjugate gradients: the iteration left the finite numbers; scale the data or raise lambda");
  return value;
}

}  // namespace

ConjugateGradientResult conjugate_gradients(const Parallel& parallel, const NormalOperator& normal, size_t points,
                                            const ConjugateGradientOptions& options, const c32* prior, c32* image,
                                            const std::function<void(size_t)>& progress) {
  const size_t floats = 2 * points;
  const Scratch direction(floats), product(floats), residual(floats);
  float *const p = direction.data(), *const q = product.data(), *const r = residual.data(), *const x = &image->re;
  const auto lambda = static_cast<float>(options.lambda);
  VectorBlocks blocks(parallel, floats);

  std::copy_n(x, floats, r);  // A^H y
  double reference;           // energy of the right-hand side
  if (prior == nullptr) {
    std::fill_n(x, floats, 0.0f);
    reference = blocks.energy(r);
  } else {
    std::copy_n(&prior->re, floats, x);
    std::copy_n(x, floats, p);
    kernels().next_direction(floats, lambda, r, p);
    reference = blocks.energy(p);
    normal(x, q);
    for (size_t i = 0; i < floats; ++i) r[i] -= q[i];  // the terms in lambda cancel
  }
  std::copy_n(r, floats, p);

  finite(reference);
  double energy = finite(blocks.energy(r));
  const double goal = options.tolerance * options.tolerance * reference;
  size_t iteration = 0;
  for (; iteration < options.iterations && energy > goal; ++iteration) {
    normal(p, q);
    const double curvature = blocks.sum([&](size_t i, size_t n) { return kernels().add_scaled_dot(n, lambda, p + i, q + i); });
    if (curvature <= 0) break;  // the direction vanished in rounding
    const auto alpha = static_cast<float>(energy / curvature);
    const double next = finite(blocks.sum([&](size_t i, size_t n) { return kernels().gradient_step(n, alpha, p + i, q + i, x + i, r + i); }));
    const auto beta = static_cast<float>(next / energy);
    blocks.each([&](size_t i, size_t n) { kernels().next_direction(n, beta, r + i, p + i); });
    energy = next;
    progress(iteration + 1);
  }
  return {iteration, reference > 0 ? std::sqrt(energy / reference) : 0, energy <= goal};
}

}  // namespace larmor
