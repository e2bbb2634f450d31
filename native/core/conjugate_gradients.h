// Conjugate gradients for any Hermitian positive operator on complex samples.
#pragma once
#include <cstddef>
#include <functional>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

struct ConjugateGradientOptions {
  double lambda;       // weight of ||x - prior||^2
  size_t iterations;   // at most
  double tolerance;    // ends when the residual norm falls to this fraction of that of the right-hand side
};

struct ConjugateGradientResult {
  size_t iterations;
  double residual;  // relative to the right-hand side
  bool converged;   // by tolerance
};

/// y = A^H A x, both as interleaved floats; y is another array.
using NormalOperator = std::function<void(const float* x, float* y)>;

/// `image`, of `points` complex samples, becomes the minimiser x of ||A x - y||^2 + lambda ||x - prior||^2, that is the solution of
/// (A^H A + lambda) x = A^H y + lambda prior.
///
/// It holds A^H y at first and the solution at last. The iteration starts at `prior`, or at zero where that is null. `progress` is told
/// the iterations done. Throws CodedError ERR_DIVERGED when the numbers leave the finite.
ConjugateGradientResult conjugate_gradients(const Parallel& parallel, const NormalOperator& normal, size_t points,
                                            const ConjugateGradientOptions& options, const c32* prior, c32* image,
                                            const std::function<void(size_t)>& progress);

}  // namespace larmor
