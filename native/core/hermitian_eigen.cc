// Householder tridiagonalisation and implicit QL (Golub and Van Loan, Matrix Computations, 8.3).
#include "core/hermitian_eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "core/kernels.h"

namespace larmor {
namespace {

constexpr size_t kStrideMultiple = 8;  // doubles in a cache line
constexpr size_t kBlock = 64;          // eigenvectors per task
constexpr int kSweeps = 64;            // QL needs two or three per eigenvalue; more means a defect

}  // namespace

HermitianEigen::HermitianEigen(const Parallel& parallel, size_t n, const c64* a)
    : n_(n),
      stride_((n + kStrideMultiple - 1) / kStrideMultiple * kStrideMultiple),
      re_(n * stride_),
      im_(n * stride_),
      beta_(n),
      diagonal_(n),
      off_(n),
      phase_(n, c64{1, 0}),
      values_(n),
      order_(n) {
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) {
      const c64 value = a[i * n + j];
      if (!std::isfinite(value.re) || !std::isfinite(value.im)) throw std::domain_error("HermitianEigen: the matrix is not finite");
      re(i)[j] = value.re;
      im(i)[j] = i == j ? 0 : value.im;
    }
  tridiagonalise(parallel);
  diagonalise(parallel);
  std::iota(order_.begin(), order_.end(), size_t{0});
  std::stable_sort(order_.begin(), order_.end(), [&](size_t p, size_t q) { return diagonal_[p] > diagonal_[q]; });
  for (size_t k = 0; k < n; ++k) values_[k] = diagonal_[order_[k]];
}

/// Step i takes x, the part of column i above the diagonal, to alpha e_{i-1} and updates the leading i x i block.
void HermitianEigen::tridiagonalise(const Parallel& parallel) {
  std::vector<double> pr(n_), pi(n_);
  for (size_t i = n_; i-- > 0;) {
    parallel.poll();
    diagonal_[i] = re(i)[i];
    if (i == 0) break;
    double* const ur = re(i);
    double* const ui = im(i);
    double largest = 0;
    for (size_t j = 0; j < i; ++j) {
      ui[j] = -ui[j];  // row i is the conjugate of column i
      largest = std::max({largest, std::fabs(ur[j]), std::fabs(ui[j])});
    }
    double norm2 = 0;
    if (largest > 0)
      for (size_t j = 0; j < i; ++j) {
        const double a = ur[j] / largest, b = ui[j] / largest;  // scaled: squares of tiny entries would vanish
        norm2 += a * a + b * b;
      }
    const double norm = largest * std::sqrt(norm2);
    if (norm == 0) continue;
    const double last = std::hypot(ur[i - 1], ui[i - 1]);
    const c64 unit = last > 0 ? c64{ur[i - 1] / last, ui[i - 1] / last} : c64{1, 0};
    // alpha = -unit * norm, u = x - alpha e_{i-1}: no cancellation
    off_[i - 1] = norm;
    phase_[i] = {-unit.re, unit.im};  // conj(alpha) / |alpha|, accumulated below
    ur[i - 1] += unit.re * norm;
    ui[i - 1] += unit.im * norm;
    for (size_t j = 0; j < i; ++j) {
      ur[j] /= norm;
      ui[j] /= norm;
    }
    beta_[i] = norm / (norm + last);  // 2 / |u|^2 with u scaled by 1 / norm

    kernels().hermitian_multiply(i, stride_, re(0), im(0), ur, ui, pr.data(), pi.data());
    double projection = 0;  // beta / 2 * u^H p
    for (size_t j = 0; j < i; ++j) {
      pr[j] *= beta_[i];
      pi[j] *= beta_[i];
      projection += ur[j] * pr[j] + ui[j] * pi[j];
    }
    projection *= beta_[i] / 2;
    for (size_t j = 0; j < i; ++j) {
      pr[j] -= projection * ur[j];
      pi[j] -= projection * ui[j];
    }
    kernels().hermitian_rank2(i, stride_, ur, ui, pr.data(), pi.data(), re(0), im(0));
  }
  for (size_t i = 1; i < n_; ++i) {
    const c64 a = phase_[i - 1], b = phase_[i];
    phase_[i] = {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
}

void HermitianEigen::diagonalise(const Parallel& parallel) {
  double* const d = diagonal_.data();
  double* const e = off_.data();
  // Relative to the whole matrix, not to the neighbours: in the null space of a matrix of low rank these are rounding errors themselves.
  double largest = 0;
  for (size_t i = 0; i < n_; ++i) largest = std::max(largest, std::fabs(d[i]) + std::fabs(e[i]));
  const double negligible = std::numeric_limits<double>::epsilon() * largest;
  for (size_t l = 0; l < n_; ++l) {
    parallel.poll();
    for (int sweep = 0;; ++sweep) {
      size_t m = l;
      while (m + 1 < n_ && std::fabs(e[m]) > negligible) ++m;
      if (m == l) break;
      if (sweep == kSweeps) throw std::runtime_error("HermitianEigen: QL did not converge");
      double g = (d[l + 1] - d[l]) / (2 * e[l]);
      double r = std::hypot(g, 1);
      g = d[m] - d[l] + e[l] / (g + std::copysign(r, g));
      double s = 1, c = 1, p = 0;
      bool split = false;
      for (size_t i = m; i-- > l;) {
        const double f = s * e[i], b = c * e[i];
        r = std::hypot(f, g);
        e[i + 1] = r;
        if (r == 0) {
          d[i + 1] -= p;
          e[m] = 0;
          split = true;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        rotations_.push_back({c, s, i});
      }
      if (split) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
}

void HermitianEigen::vectors(const Parallel& parallel, size_t count, c64* out) const {
  parallel((count + kBlock - 1) / kBlock, [&](size_t block) {
    const size_t first = block * kBlock;
    vector_block(first, std::min(kBlock, count - first), out + first * n_);
  });
}

/// The eigenvectors of `count` eigenvalues from the `first`-largest on.
void HermitianEigen::vector_block(size_t first, size_t count, c64* out) const {
  // Everything acts on rows, with the wanted vectors side by side: contiguous loops over `count`.
  std::vector<double> xr(n_ * count), xi(n_ * count), tr(count), ti(count);
  for (size_t k = 0; k < count; ++k) xr[order_[first + k] * count + k] = 1;
  for (size_t r = rotations_.size(); r-- > 0;) {
    const auto [c, s, row] = rotations_[r];
    double* const upper = xr.data() + row * count;
    double* const lower = upper + count;
    for (size_t k = 0; k < count; ++k) {
      const double a = upper[k], b = lower[k];
      upper[k] = c * a + s * b;
      lower[k] = c * b - s * a;
    }
  }
  for (size_t j = 0; j < n_; ++j)
    for (size_t k = 0; k < count; ++k) {
      const double x = xr[j * count + k];
      xr[j * count + k] = phase_[j].re * x;
      xi[j * count + k] = phase_[j].im * x;
    }
  for (size_t i = 1; i < n_; ++i) {
    if (beta_[i] == 0) continue;
    const double* const ur = re(i);
    const double* const ui = im(i);
    std::fill(tr.begin(), tr.end(), 0.0);
    std::fill(ti.begin(), ti.end(), 0.0);
    for (size_t j = 0; j < i; ++j)
      kernels().complex_axpy(count, ur[j], -ui[j], xr.data() + j * count, xi.data() + j * count, tr.data(), ti.data());
    for (size_t j = 0; j < i; ++j)
      kernels().complex_axpy(count, -beta_[i] * ur[j], -beta_[i] * ui[j], tr.data(), ti.data(), xr.data() + j * count, xi.data() + j * count);
  }
  for (size_t k = 0; k < count; ++k)
    for (size_t j = 0; j < n_; ++j) out[k * n_ + j] = {xr[j * count + k], xi[j * count + k]};
}

}  // namespace larmor
