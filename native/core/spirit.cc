// In the image G is one coils x coils matrix per pixel, so that an iteration is a Fourier transform, (G - I)^H (G - I) in every pixel, and
// the transform back. Where whole columns of k-space were measured, a transform along them decouples the rows: each block of rows is
// then a problem of its own that stays in the cache from its first iteration to its last.
#include "core/spirit.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "core/cholesky.h"
#include "core/coded_error.h"
#include "core/fft.h"
#include "core/kernels.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kRows = 4;  // of a block: their matrices fit the second-level cache for eight coils of 256 columns
constexpr double kTurn = 2 * std::numbers::pi;

/// Weights [coils, coils, kernel]: how each coil's sample follows from the neighbourhood in every coil; the sample itself has weight 0.
///
/// The regression of one entry of the patches on all others is a column of the inverse of their Gram matrix over its diagonal entry, so
/// that one factorisation serves all coils.
std::vector<c64> neighbour_weights(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* kspace,
                                   const CalibrationRegion& region, const SpiritOptions& options) {
  std::vector<c64> gram = region_gram(parallel, coils, ny, nx, kspace, region, options.kernel, Margin::kNone);
  const size_t entries = options.kernel.size(), n = coils * entries;
  const size_t centre = options.kernel.rows / 2 * options.kernel.columns + options.kernel.columns / 2;
  add_relative_ridge(n, options.lambda, gram.data());
  if (!cholesky_factor(parallel, n, gram.data()))
    throw CodedError("ERR_CALIBRATION",
                     "spirit: the calibration region does not determine the weights of " + std::to_string(n) +
                         " neighbours: raise lambda, choose a smaller kernel, or sample more centre lines");
  std::vector<c64> weights(coils * n, c64{0, 0});
  parallel(coils, [&](size_t coil) {
    c64* const column = &weights[coil * n];
    const size_t own = coil * entries + centre;
    column[own] = {1, 0};
    cholesky_solve(n, gram.data(), 1, column);
    const double scale = -1 / column[own].re;
    for (size_t e = 0; e < n; ++e) column[e] = {column[e].re * scale, -column[e].im * scale};
    column[own] = {0, 0};
  });
  return weights;
}

/// exp(-2 pi i (o - floor(kernel / 2)) (x - floor(n / 2)) / n)
c64 phase(size_t kernel, size_t o, size_t n, size_t x) {
  const auto turns = (static_cast<double>(o) - static_cast<double>(kernel / 2)) * (static_cast<double>(x) - static_cast<double>(n / 2));
  return {std::cos(kTurn * turns / static_cast<double>(n)), -std::sin(kTurn * turns / static_cast<double>(n))};
}

/// The matrices of image rows.
class PixelMatrices {
 public:
  PixelMatrices(size_t coils, size_t ny, size_t nx, Grid kernel, std::vector<c64> weights)
      : coils_(coils), ny_(ny), padded_((nx + kernels().lanes - 1) / kernels().lanes * kernels().lanes), nx_(nx), kernel_(kernel), weights_(std::move(weights)) {
    phases_.assign(2 * kernel.columns * padded_, 0);
    for (size_t o = 0; o < kernel.columns; ++o)
      for (size_t x = 0; x < nx; ++x) {
        const c64 value = phase(kernel.columns, o, nx, x);
        phases_[2 * o * padded_ + x] = static_cast<float>(value.re);
        phases_[(2 * o + 1) * padded_ + x] = static_cast<float>(value.im);
      }
  }

  size_t row_floats() const { return coils_ * coils_ * padded_; }

  /// (G - I)^H (G - I) of image row y, as multiply_pixels reads it.
  void row(size_t y, float* out) const {
    std::vector<c32> coefficients(coils_ * coils_ * kernel_.columns);
    std::vector<float> scratch(2 * coils_ * coils_ * kernels().lanes);
    for (size_t i = 0; i < coefficients.size(); ++i) {
      c64 sum{0, 0};
      for (size_t o = 0; o < kernel_.rows; ++o) {
        const c64 w = weights_[(i / kernel_.columns * kernel_.rows + o) * kernel_.columns + i % kernel_.columns];
        const c64 p = phase(kernel_.rows, o, ny_, y);
        sum = {sum.re + w.re * p.re - w.im * p.im, sum.im + w.re * p.im + w.im * p.re};
      }
      coefficients[i] = {static_cast<float>(sum.re), static_cast<float>(sum.im)};
    }
    kernels().consistency_matrices(nx_, coils_, kernel_.columns, coefficients.data(), phases_.data(), out, scratch.data());
  }

 private:
  size_t coils_, ny_, padded_, nx_;
  Grid kernel_;
  std::vector<c64> weights_;
  std::vector<float> phases_;
};

/// Image rows whose missing samples are found together: all of them, or a block where the rows decouple.
class Block {
 public:
  /// `sampled` [rows, nx]. With `whole`, samples are k-space; else they are transformed along ky already.
  Block(const Parallel& parallel, const PixelMatrices& matrices, size_t coils, size_t first, size_t rows, size_t nx, bool whole, const uint8_t* sampled)
      : parallel_(parallel), coils_(coils), rows_(rows), nx_(nx), whole_(whole), sampled_(sampled), row_floats_(matrices.row_floats()), matrices_(rows * row_floats_) {
    parallel(rows, [&](size_t y) { matrices.row(first + y, &matrices_[y * row_floats_]); });
  }

  /// Fills the missing samples of `samples` [coils, rows, nx], which are zero.
  ConjugateGradientResult solve(const ConjugateGradientOptions& options, c32* samples, const std::function<void(size_t)>& progress) const {
    const size_t points = coils_ * rows_ * nx_;
    std::vector<c32> missing(points);
    normal(samples, missing.data());
    for (c32& value : missing) value = {-value.re, -value.im};
    const auto restricted = [&](const float* from, float* to) {
      normal(reinterpret_cast<const c32*>(from), reinterpret_cast<c32*>(to));
    };
    const ConjugateGradientResult result = conjugate_gradients(parallel_, restricted, points, options, nullptr, missing.data(), progress);
    for (size_t i = 0; i < points; ++i)
      if (sampled_[i % (rows_ * nx_)] == 0) samples[i] = missing[i];
    return result;
  }

 private:
  /// out = M F K F^H in, with K the matrices and M keeping the missing samples.
  void normal(const c32* in, c32* out) const {
    transform(true, in, out);
    parallel_(rows_, [&](size_t y) {
      const Scratch scratch(4 * coils_ * kernels().lanes);
      kernels().multiply_pixels(nx_, coils_, rows_ * nx_, &matrices_[y * row_floats_], out + y * nx_, scratch.data());
    });
    transform(false, out, out);
    parallel_(coils_, [&](size_t coil) {
      c32* const samples = out + coil * rows_ * nx_;
      for (size_t i = 0; i < rows_ * nx_; ++i)
        if (sampled_[i] != 0) samples[i] = {0, 0};
    });
  }

  void transform(bool inverse, const c32* in, c32* out) const {
    if (whole_)
      fft2(parallel_, inverse, coils_, rows_, nx_, in, out);
    else
      fft_rows(parallel_, inverse, coils_ * rows_, nx_, in, out);
  }

  const Parallel& parallel_;
  size_t coils_, rows_, nx_;
  bool whole_;
  const uint8_t* sampled_;
  size_t row_floats_;
  std::vector<float> matrices_;
};

bool same_rows(size_t ny, size_t nx, const uint8_t* sampled) {
  for (size_t y = 1; y < ny; ++y)
    if (!std::equal(sampled, sampled + nx, sampled + y * nx)) return false;
  return true;
}

/// Copies rows first .. first + rows of every coil between a block and the whole.
void copy_rows(size_t coils, size_t ny, size_t nx, size_t first, size_t rows, const c32* from, c32* to, bool into_block) {
  for (size_t c = 0; c < coils; ++c) {
    const size_t block = c * rows * nx, whole = (c * ny + first) * nx;
    std::copy_n(from + (into_block ? whole : block), rows * nx, to + (into_block ? block : whole));
  }
}

}  // namespace

SpiritResult spirit(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* kspace, const uint8_t* sampled,
                    const CalibrationRegion& region, const SpiritOptions& options, c32* out, const std::function<void(size_t done)>& progress) {
  const size_t plane = ny * nx;
  const auto missing = static_cast<size_t>(std::count(sampled, sampled + plane, 0));
  const auto place_samples = [&](bool clear) {
    parallel(coils, [&](size_t coil) {
      for (size_t i = 0; i < plane; ++i)
        if (sampled[i] != 0)
          out[coil * plane + i] = kspace[coil * plane + i];
        else if (clear)
          out[coil * plane + i] = {0, 0};
    });
  };
  place_samples(true);
  if (missing == 0) return {0, {0, 0, true}};
  const PixelMatrices matrices(coils, ny, nx, options.kernel, neighbour_weights(parallel, coils, ny, nx, kspace, region, options));

  if (!same_rows(ny, nx, sampled)) {
    const Block block(parallel, matrices, coils, 0, ny, nx, true, sampled);
    const auto iterations = [&](size_t done) { progress(kSpiritSteps * done / options.solver.iterations); };
    return {missing, block.solve(options.solver, out, iterations)};
  }

  fft_columns(parallel, true, coils, ny, nx, out, out);
  const size_t blocks = (ny + kRows - 1) / kRows;
  std::vector<ConjugateGradientResult> results(blocks);
  std::atomic<size_t> done{0};
  parallel(blocks, [&](size_t i) {
    const Serial serial;
    const size_t first = i * kRows, rows = std::min(kRows, ny - first);
    const Block block(serial, matrices, coils, first, rows, nx, false, sampled);
    std::vector<c32> samples(coils * rows * nx);
    copy_rows(coils, ny, nx, first, rows, out, samples.data(), true);
    results[i] = block.solve(options.solver, samples.data(), [&](size_t) { parallel.poll(); });
    copy_rows(coils, ny, nx, first, rows, samples.data(), out, false);
    progress(kSpiritSteps * (done.fetch_add(1) + 1) / blocks);
  });
  fft_columns(parallel, false, coils, ny, nx, out, out);
  place_samples(false);  // the transforms have rounded them
  ConjugateGradientResult worst = results[0];
  for (const ConjugateGradientResult& result : results) {
    worst.iterations = std::max(worst.iterations, result.iterations);
    worst.residual = std::max(worst.residual, result.residual);
    worst.converged = worst.converged && result.converged;
  }
  return {missing, worst};
}

}  // namespace larmor
