// Isotropic total variation of complex images: its value and its proximal map.
#pragma once
#include <cstddef>
#include <vector>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// Sum over the pixels of x [batch, y, x] of sqrt(|x[y, x] - x[y - 1, x]|^2 + |x[y, x] - x[y, x - 1]|^2), on a torus.
double total_variation(const Parallel& parallel, size_t batch, size_t ny, size_t nx, const c32* x);

/// The proximal map of `weight` times the total variation of x [batch, y, x], for calls in a sequence that converges.
///
/// Solved by Beck and Teboulle's fast gradient projection on the dual (IEEE Trans Image Process 2009;18:2419-2434), which starts where the
/// call before ended. The k-th call, from 0, takes 4 + k / 4 iterations: the errors of an inexact proximal map must shrink for an accelerated
/// outer iteration to converge (Schmidt, Le Roux and Bach, Adv Neural Inf Process Syst 2011;24:1458-1466).
class TotalVariationProximal {
 public:
  TotalVariationProximal(size_t batch, size_t ny, size_t nx, double weight);

  /// x becomes the minimiser u of 1/2 ||u - x||^2 + step weight TV(u).
  void operator()(const Parallel& parallel, double step, c32* x);

 private:
  void update_dual(const Parallel& parallel, float radius, float momentum, const c32* x);

  size_t batch_, ny_, nx_;
  double weight_;
  size_t calls_ = 0;
  std::vector<c32> dual_, point_, next_point_;  // [batch, 2, y, x]: the dual, where its gradient is taken, and where it is taken next
};

}  // namespace larmor
