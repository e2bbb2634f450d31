// Eigenvalues and chosen eigenvectors of a Hermitian matrix, in double precision.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// A = V diag(values) V^H. Householder reflections make A tridiagonal, implicit QL makes that diagonal; reflections and rotations
/// are kept, so that eigenvectors cost only as much as are asked for.
///
/// Residuals and orthogonality are a small multiple of n * 2^-53 * |A|, also for repeated eigenvalues.
class HermitianEigen {
 public:
  /// `a` is [n, n], C order; only its lower triangle (column <= row) and the real part of its diagonal are read.
  /// Throws std::domain_error if an entry is not finite.
  HermitianEigen(const Parallel& parallel, size_t n, const c64* a);

  size_t size() const { return n_; }
  /// All n eigenvalues, largest first.
  const std::vector<double>& values() const { return values_; }
  /// Unit eigenvectors of the `count` largest eigenvalues, as the rows of `out` [count, n].
  void vectors(const Parallel& parallel, size_t count, c64* out) const;

 private:
  struct Rotation {
    double c, s;
    size_t row;  // acts on rows row and row + 1
  };

  void tridiagonalise(const Parallel& parallel);
  void diagonalise(const Parallel& parallel);
  void vector_block(size_t first, size_t count, c64* out) const;
  double* re(size_t row) { return re_.data() + row * stride_; }
  double* im(size_t row) { return im_.data() + row * stride_; }
  const double* re(size_t row) const { return re_.data() + row * stride_; }
  const double* im(size_t row) const { return im_.data() + row * stride_; }

  size_t n_, stride_;
  std::vector<double> re_, im_;            // lower triangle; row i ends up holding the i entries of reflection i
  std::vector<double> beta_;               // reflection i is I - beta u u^H
  std::vector<double> diagonal_, off_;     // off_[i] couples i and i + 1
  std::vector<c64> phase_;                 // makes the off-diagonal real
  std::vector<Rotation> rotations_;
  std::vector<double> values_;
  std::vector<size_t> order_;              // position in diagonal_ of each sorted value
};

}  // namespace larmor
