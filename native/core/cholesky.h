// Cholesky factorisation of Hermitian positive definite matrices, in double precision.
#pragma once
#include <cstddef>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// Overwrites the lower triangle of `a` [n, n] with L such that A = L L^H; the upper triangle is neither read nor written.
/// Returns false, with `a` half done, where A is not positive definite to working precision. One thread; polls at every row.
bool cholesky_factor(const Parallel& parallel, size_t n, c64* a);

/// Overwrites each of the `count` rows of `b` [count, n] with the solution of L L^H x = b.
void cholesky_solve(size_t n, const c64* l, size_t count, c64* b);

}  // namespace larmor
