// Pairs of entries at one distance from each other share their products: each column of the image is correlated with its neighbours
// once, and the sums for the other pairs of that distance follow by adding what enters the box of positions and removing what leaves.
#include "core/patch_gram.h"

#include <algorithm>
#include <cmath>

#include "core/kernels.h"

namespace larmor {
namespace {

/// One coil's image, columns contiguous.
struct Planes {
  const double *re, *im;
  c64 at(size_t i) const { return {re[i], im[i]}; }
};

/// a conj(b)
c64 product(c64 a, c64 b) { return {a.re * b.re + a.im * b.im, a.im * b.re - a.re * b.im}; }

/// The block of the Gram matrix that two coils make.
class CoilPair {
 public:
  CoilPair(Grid image, Grid kernel, Planes a, Planes b, bool same)
      : image_(image),
        kernel_(kernel),
        positions_{image.rows - kernel.rows + 1, image.columns - kernel.columns + 1},
        a_(a),
        b_(b),
        same_(same),
        sums_re_(2 * kernel.rows - 1),
        sums_im_(2 * kernel.rows - 1),
        boxes_((2 * kernel.rows - 1) * kernel.rows * image.columns) {}

  /// Calls visit(i, j, sum over positions of a(p + i) conj(b(p + j))) for all entries i and j; where the coils are the same, for j <= i.
  template <class Visit>
  void visit(Visit&& visit) {
    const auto most = static_cast<ptrdiff_t>(kernel_.columns) - 1;
    for (ptrdiff_t dx = -most; dx <= most; ++dx) {
      const size_t begin = dx < 0 ? static_cast<size_t>(-dx) : 0, end = image_.columns - (dx > 0 ? static_cast<size_t>(dx) : 0);
      for (size_t x = begin; x < end; ++x) correlate_columns(x, static_cast<size_t>(static_cast<ptrdiff_t>(x) + dx));
      for (size_t d = 0; d < 2 * kernel_.rows - 1; ++d) {
        const ptrdiff_t dy = static_cast<ptrdiff_t>(d) - static_cast<ptrdiff_t>(kernel_.rows) + 1;
        if (same_ && (dy > 0 || (dy == 0 && dx > 0))) continue;
        for (size_t oy = dy < 0 ? static_cast<size_t>(-dy) : 0; oy < kernel_.rows - (dy > 0 ? static_cast<size_t>(dy) : 0); ++oy) {
          const c64* const box = &boxes_[(d * kernel_.rows + oy) * image_.columns];
          c64 sum{0, 0};
          for (size_t x = begin; x < begin + positions_.columns; ++x) sum = {sum.re + box[x].re, sum.im + box[x].im};
          for (size_t ox = begin;; ++ox) {
            const size_t i = oy * kernel_.columns + ox;
            visit(i, static_cast<size_t>(static_cast<ptrdiff_t>(i) + dy * static_cast<ptrdiff_t>(kernel_.columns) + dx), sum);
            if (ox + positions_.columns == end) break;
            const c64 in = box[ox + positions_.columns], out = box[ox];
            sum = {sum.re + in.re - out.re, sum.im + in.im - out.im};
          }
        }
      }
    }
  }

 private:
  /// boxes_[distance dy, offset oy, x] = sum over the rows of positions of a(oy + row, x) conj(b(oy + dy + row, other)).
  void correlate_columns(size_t x, size_t other) {
    const size_t rows = positions_.rows, least = kernel_.rows - 1;
    const size_t at = x * image_.rows, bt = other * image_.rows;
    kernels().correlate(rows, least, b_.re + bt, b_.im + bt, a_.re + at + 1, a_.im + at + 1, sums_re_.data(), sums_im_.data());
    std::reverse(sums_re_.begin(), sums_re_.begin() + static_cast<ptrdiff_t>(least));
    std::reverse(sums_im_.begin(), sums_im_.begin() + static_cast<ptrdiff_t>(least));
    for (size_t d = 0; d < least; ++d) sums_im_[d] = -sums_im_[d];
    kernels().correlate(rows, kernel_.rows, a_.re + at, a_.im + at, b_.re + bt, b_.im + bt, &sums_re_[least], &sums_im_[least]);
    for (size_t d = 0; d < 2 * kernel_.rows - 1; ++d) {
      const size_t a_first = at + (d < least ? least - d : 0), b_first = bt + (d > least ? d - least : 0);
      const size_t oy = a_first - at, count = kernel_.rows - (d < least ? least - d : d - least);
      c64 sum{sums_re_[d], sums_im_[d]};
      for (size_t step = 0;; ++step) {
        boxes_[(d * kernel_.rows + oy + step) * image_.columns + x] = sum;
        if (step + 1 == count) break;
        const c64 in = product(a_.at(a_first + step + rows), b_.at(b_first + step + rows));
        const c64 out = product(a_.at(a_first + step), b_.at(b_first + step));
        sum = {sum.re + in.re - out.re, sum.im + in.im - out.im};
      }
    }
  }

  Grid image_, kernel_, positions_;
  Planes a_, b_;
  bool same_;
  std::vector<double> sums_re_, sums_im_;  // by distance dy, the most negative first
  std::vector<c64> boxes_;
};

}  // namespace

std::vector<c64> patch_gram(const Parallel& parallel, size_t coils, Grid image, const c64* data, Grid kernel) {
  std::vector<double> re(coils * image.size()), im(coils * image.size());
  for (size_t c = 0; c < coils; ++c)
    for (size_t y = 0; y < image.rows; ++y)
      for (size_t x = 0; x < image.columns; ++x) {
        const c64 value = data[(c * image.rows + y) * image.columns + x];
        re[(c * image.columns + x) * image.rows + y] = value.re;
        im[(c * image.columns + x) * image.rows + y] = value.im;
      }
  const auto planes = [&](size_t coil) { return Planes{&re[coil * image.size()], &im[coil * image.size()]}; };
  const size_t entries = kernel.size(), n = coils * entries;
  std::vector<c64> gram(n * n);
  parallel(coils * coils, [&](size_t pair) {
    const size_t c = pair / coils, d = pair % coils;
    if (d > c) return;
    CoilPair(image, kernel, planes(c), planes(d), c == d).visit([&](size_t i, size_t j, c64 sum) {
      gram[(c * entries + i) * n + d * entries + j] = sum;
    });
  });
  return gram;
}

std::vector<c64> region_gram(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* kspace, const CalibrationRegion& region,
                             Grid kernel, Margin margin) {
  const size_t top = margin == Margin::kZeros ? kernel.rows / 2 : 0, left = margin == Margin::kZeros ? kernel.columns / 2 : 0;
  const Grid padded{region.rows + 2 * top, region.columns + 2 * left};
  std::vector<c64> data(coils * padded.size(), c64{0, 0});
  for (size_t c = 0; c < coils; ++c)
    for (size_t y = 0; y < region.rows; ++y)
      for (size_t x = 0; x < region.columns; ++x) {
        const c32 value = kspace[(c * ny + region.row + y) * nx + region.column + x];
        data[(c * padded.rows + top + y) * padded.columns + left + x] = {value.re, value.im};
      }
  return patch_gram(parallel, coils, padded, data.data(), kernel);
}

void add_relative_ridge(size_t n, double lambda, c64* a) {
  double squares = 0;
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j <= i; ++j) squares += (i == j ? 1 : 2) * (a[i * n + j].re * a[i * n + j].re + a[i * n + j].im * a[i * n + j].im);
  const double ridge = lambda * std::sqrt(squares) / static_cast<double>(n);
  for (size_t i = 0; i < n; ++i) a[i * n + i].re += ridge;
}

}  // namespace larmor
