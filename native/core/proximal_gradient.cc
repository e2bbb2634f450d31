// Beck and Teboulle, SIAM J Imaging Sci 2009;2:183-202; O'Donoghue and Candes, Found Comput Math 2015;15:715-732.
#include "core/proximal_gradient.h"

#include <algorithm>
#include <cmath>

#include "core/coded_error.h"
#include "core/kernels.h"
#include "core/scratch.h"
#include "core/vector_blocks.h"

namespace larmor {
namespace {

/// x = 0 already gives a misfit of half the energy, and no minimiser a larger one; beyond rounding, more means that an inexact proximal map
/// could not follow a penalty far too heavy.
constexpr double kWorseThanZero = 1e-3;

}  // namespace

ProximalGradientResult proximal_gradient(const Parallel& parallel, size_t floats, const ProximalGradientOptions& options, const NormalMap& normal,
                                         const ProximalMap& proximal, float* x, const std::function<void(size_t)>& progress) {
  const Scratch right_side(floats), extrapolated(floats), product(floats), iterate(floats);
  float *const b = right_side.data(), *const z = extrapolated.data(), *const q = product.data();
  float *next = iterate.data(), *current = x;
  const VectorBlocks blocks(parallel, floats);
  const double step = 1 / options.curvature;

  std::copy_n(x, floats, b);
  std::fill_n(current, floats, 0.0f);
  std::fill_n(z, floats, 0.0f);
  ProximalGradientResult result{.iterations = 0, .restarts = 0, .misfit = options.energy / 2, .change = 0, .converged = false};
  double momentum = 1;
  while (result.iterations < options.iterations && !result.converged) {
    if (result.iterations > 0)
      normal(z, q);
    else
      std::fill_n(q, floats, 0.0f);
    blocks.each([&](size_t i, size_t n) { kernels().descend(n, static_cast<float>(step), z + i, q + i, b + i, next + i); });
    proximal(step, next);
    const MomentumSums sums = blocks.sum([&](size_t i, size_t n) { return kernels().momentum_sums(n, z + i, next + i, current + i); });
    if (!std::isfinite(sums.size))
      throw CodedError("ERR_DIVERGED", "proximal gradient: the iteration left the finite numbers; scale the data and normalise the maps");
    const bool uphill = sums.ascent > 0;
    if (uphill) {
      ++result.restarts;
      momentum = 1;
    }
    const double next_momentum = (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
    const auto beta = static_cast<float>((momentum - 1) / next_momentum);
    momentum = next_momentum;
    blocks.each([&](size_t i, size_t n) { kernels().extrapolate(n, beta, next + i, current + i, z + i); });
    std::swap(next, current);
    result.change = sums.change > 0 ? std::sqrt(sums.change / sums.size) : 0;
    result.converged = result.change <= options.tolerance && options.tolerance > 0;
    progress(++result.iterations);
  }
  normal(current, q);
  result.misfit += blocks.sum([&](size_t begin, size_t length) {  // and x^H (A^H A x / 2 - A^H y)
    double sum = 0;
    for (size_t i = begin; i < begin + length; ++i) sum += static_cast<double>(current[i]) * (0.5 * static_cast<double>(q[i]) - static_cast<double>(b[i]));
    return sum;
  });
  result.misfit = std::max(0.0, result.misfit);
  if (result.misfit > (1 + kWorseThanZero) * options.energy / 2)
    throw CodedError("ERR_DIVERGED", "proximal gradient: the image explains the samples worse than none would: lower the weight of the penalty");
  if (current != x) std::copy_n(current, floats, x);
  return result;
}

}  // namespace larmor
