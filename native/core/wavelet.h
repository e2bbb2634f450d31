// Orthogonal wavelet transforms of complex images of any size.
#pragma once
#include <cstddef>
#include <vector>

#include "core/kernels.h"
#include "core/parallel.h"

namespace larmor {

/// Haar's filter, or Daubechies' with two vanishing moments and four taps.
enum class WaveletFilter { kHaar, kDaubechies4 };

/// A cyclic displacement: the transform sees the image from row y and column x on.
struct Shift {
  size_t y, x;
};

/// W, with W^H W = W W^H = 1. Each level splits the coarse band in two along both axes, periodically; what an odd length leaves over is
/// carried to the coarse band. Coefficients [y, x] have the coarse band first along both axes, before its details, level by level.
class Wavelet {
 public:
  /// At most `levels` levels; an axis is split as long as its coarse half keeps `coarsest` samples.
  Wavelet(WaveletFilter filter, size_t ny, size_t nx, size_t levels, size_t coarsest);

  size_t points() const { return ny_ * nx_; }
  size_t levels() const { return levels_.size(); }
  /// coefficients = W image
  void forward(const Parallel& parallel, const c32* image, c32* coefficients) const;
  /// image = W^H coefficients
  void inverse(const Parallel& parallel, const c32* coefficients, c32* image) const;
  /// The image becomes the minimiser u of 1/2 ||u - image||^2 + threshold ||W u||_1, W acting on the displaced image.
  void shrink(const Parallel& parallel, float threshold, Shift shift, c32* image) const;
  /// ||W image||_1, the sum of magnitudes.
  double norm(const Parallel& parallel, const c32* image) const;

 private:
  /// n samples as pairs that are split and a rest that is carried along.
  struct Axis {
    size_t n, pairs;
    size_t coarse() const { return n - pairs; }
    size_t rest() const { return n - 2 * pairs; }
  };
  struct Level {
    Axis y, x;
  };
  class Bands;

  size_t coarse_points(size_t level) const;
  void decompose(const Parallel& parallel, const c32* image, Shift shift, const float* threshold, const Bands& bands, c32* details) const;
  void compose(const Parallel& parallel, const Bands& bands, const c32* details, Shift shift, c32* image) const;
  void split(const Parallel& parallel, const Level& level, const c32* in, Shift shift, const float* threshold, c32* coarse, c32* details) const;
  void join(const Parallel& parallel, const Level& level, const c32* coarse, const c32* details, Shift shift, c32* out) const;

  size_t ny_, nx_;
  WaveletTaps taps_;
  std::vector<Level> levels_;
};

}  // namespace larmor
