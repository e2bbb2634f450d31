// Minimises a quadratic data term plus a penalty of which only the proximal map is known.
#pragma once
#include <cstddef>
#include <functional>

#include "core/parallel.h"

namespace larmor {

struct ProximalGradientOptions {
  double curvature;   // an upper bound on the eigenvalues of A^H A: the step is its inverse
  size_t iterations;  // at most
  double energy;      // ||y||^2
  double tolerance;   // ends when ||x - previous x|| falls to this fraction of ||x||; 0 never ends early
};

struct ProximalGradientResult {
  size_t iterations;
  size_t restarts;  // of the momentum
  double misfit;    // 1/2 ||A x - y||^2; rounding leaves about 1e-7 of the energy
  double change;    // ||x - previous x|| / ||x|| at the last iteration
  bool converged;   // by tolerance
};

/// y = A^H A x
using NormalMap = std::function<void(const float* x, float* y)>;
/// x becomes the minimiser u of 1/2 ||u - x||^2 + step g(u).
using ProximalMap = std::function<void(double step, float* x)>;

/// `x`, of `floats` numbers, becomes the minimiser of 1/2 ||A x - y||^2 + g(x): it holds A^H y at first and the solution at last.
///
/// Beck and Teboulle's FISTA from zero; its momentum starts anew where it points uphill (O'Donoghue and Candes 2015, gradient scheme).
/// `progress` is told the iterations done. Throws CodedError ERR_DIVERGED when the numbers leave the finite
/// or the result explains y worse than zero does.
ProximalGradientResult proximal_gradient(const Parallel& parallel, size_t floats, const ProximalGradientOptions& options, const NormalMap& normal,
                                         const ProximalMap& proximal, float* x, const std::function<void(size_t)>& progress);

}  // namespace larmor
