// The directions come from whichever Gram matrix is smaller, that of the patches' entries or that of the patches themselves.
#include "core/patch_space.h"

#include <cmath>
#include <vector>

#include "core/coded_error.h"
#include "core/hermitian_eigen.h"
#include "core/kernels.h"
#include "core/patch_gram.h"

namespace larmor {
namespace {

/// Calls visit(i, j, sum over images and window offsets o of a(i + o) conj(a(j + o))) for all positions i and j at which the window
/// fits. All pairs of one distance share their products, which an integral image sums; distances along y are one task each.
template <class Visit>
void sliding_products(const Parallel& parallel, size_t images, Grid image, const c64* a, Grid window, Visit visit) {
  const Grid positions{image.rows - window.rows + 1, image.columns - window.columns + 1};
  const size_t stride = image.columns + 1;
  const auto overlap = [](size_t n, ptrdiff_t shift) {  // x such that x and x + shift lie in [0, n)
    struct Range {
      size_t begin, end;
    };
    return shift < 0 ? Range{static_cast<size_t>(-shift), n} : Range{0, n - static_cast<size_t>(shift)};
  };
  parallel(2 * positions.rows - 1, [&](size_t task) {
    const ptrdiff_t dy = static_cast<ptrdiff_t>(task) - static_cast<ptrdiff_t>(positions.rows - 1);
    std::vector<c64> integral((image.rows + 1) * stride);
    for (ptrdiff_t dx = 1 - static_cast<ptrdiff_t>(positions.columns); dx < static_cast<ptrdiff_t>(positions.columns); ++dx) {
      const auto ys = overlap(image.rows, dy), xs = overlap(image.columns, dx);
      const ptrdiff_t shift = dy * static_cast<ptrdiff_t>(image.columns) + dx;
      for (size_t x = xs.begin; x <= xs.end; ++x) integral[ys.begin * stride + x] = {0, 0};
      for (size_t y = ys.begin; y < ys.end; ++y) {
        c64 sum{0, 0};
        integral[(y + 1) * stride + xs.begin] = {0, 0};
        for (size_t x = xs.begin; x < xs.end; ++x) {
          for (size_t n = 0; n < images; ++n) {
            const c64* const p = a + n * image.size() + y * image.columns + x;
            const c64* const q = a + n * image.size() + y * image.columns + x + shift;
            sum.re += p->re * q->re + p->im * q->im;
            sum.im += p->im * q->re - p->re * q->im;
          }
          const c64 above = integral[y * stride + x + 1];
          integral[(y + 1) * stride + x + 1] = {above.re + sum.re, above.im + sum.im};
        }
      }
      const auto is = overlap(positions.rows, dy), js = overlap(positions.columns, dx);
      for (size_t y = is.begin; y < is.end; ++y)
        for (size_t x = js.begin; x < js.end; ++x) {
          const c64* const top = &integral[y * stride + x];
          const c64* const bottom = top + window.rows * stride;
          const size_t w = window.columns, i = y * positions.columns + x;
          const auto j = static_cast<size_t>(static_cast<ptrdiff_t>(i) + dy * static_cast<ptrdiff_t>(positions.columns) + dx);
          visit(i, j, c64{bottom[w].re - bottom[0].re - top[w].re + top[0].re, bottom[w].im - bottom[0].im - top[w].im + top[0].im});
        }
    }
  });
}

size_t above_threshold(const HermitianEigen& eigen, double threshold) {
  if (!(eigen.values()[0] > 0)) throw CodedError("ERR_CALIBRATION", "espirit: the calibration region holds only zeros");
  size_t count = 0;
  while (count < eigen.size() && eigen.values()[count] > threshold * eigen.values()[0]) ++count;
  return count;
}

/// From the Gram matrix of entries, [coils * kernel^2] squared: its eigenvectors are the directions.
PatchSpace from_entries(const Parallel& parallel, size_t coils, Grid image, const c64* data, Grid kernel, double threshold) {
  const size_t n = coils * kernel.size();
  const HermitianEigen eigen(parallel, n, patch_gram(parallel, coils, image, data, kernel).data());
  const size_t count = above_threshold(eigen, threshold);
  std::vector<c64> vectors(count * n);
  eigen.vectors(parallel, count, vectors.data());
  PatchSpace space{count, std::vector<double>(n * count), std::vector<double>(n * count)};
  for (size_t k = 0; k < count; ++k)
    for (size_t e = 0; e < n; ++e) {
      space.re[e * count + k] = vectors[k * n + e].re;
      space.im[e * count + k] = vectors[k * n + e].im;
    }
  return space;
}

/// From the Gram matrix of patches: direction k = (sum over patches of patch times entry of eigenvector k) / singular value k.
PatchSpace from_patches(const Parallel& parallel, size_t coils, Grid image, const c64* data, Grid kernel, double threshold) {
  const Grid patches{image.rows - kernel.rows + 1, image.columns - kernel.columns + 1};
  const size_t n = patches.size(), entries = coils * kernel.size();
  std::vector<c64> gram(n * n);
  sliding_products(parallel, coils, image, data, kernel, [&](size_t i, size_t j, c64 sum) { gram[j * n + i] = sum; });
  const HermitianEigen eigen(parallel, n, gram.data());
  const size_t count = above_threshold(eigen, threshold);
  std::vector<c64> vectors(count * n);
  eigen.vectors(parallel, count, vectors.data());
  std::vector<double> ur(n * count), ui(n * count);
  for (size_t k = 0; k < count; ++k) {
    const double scale = 1 / std::sqrt(eigen.values()[k]);
    for (size_t p = 0; p < n; ++p) {
      ur[p * count + k] = vectors[k * n + p].re * scale;
      ui[p * count + k] = vectors[k * n + p].im * scale;
    }
  }
  PatchSpace space{count, std::vector<double>(entries * count), std::vector<double>(entries * count)};
  parallel(entries, [&](size_t entry) {
    const size_t c = entry / kernel.size(), oy = entry % kernel.size() / kernel.columns, ox = entry % kernel.columns;
    for (size_t p = 0; p < n; ++p) {
      const c64 y = data[c * image.size() + (p / patches.columns + oy) * image.columns + p % patches.columns + ox];
      kernels().complex_axpy(count, y.re, y.im, &ur[p * count], &ui[p * count], &space.re[entry * count], &space.im[entry * count]);
    }
  });
  return space;
}

}  // namespace

PatchSpace patch_space(const Parallel& parallel, size_t coils, size_t rows, size_t columns, const c64* data, size_t kernel, double threshold) {
  const Grid image{rows, columns}, square{kernel, kernel};
  const size_t patches = (rows - kernel + 1) * (columns - kernel + 1);
  const auto directions = coils * square.size() <= patches ? from_entries : from_patches;
  return directions(parallel, coils, image, data, square, threshold);
}

}  // namespace larmor
