// The patch space acts on k-space as a projection; in the image it is one small Hermitian matrix per pixel whose eigenvectors of
// eigenvalue one are the sensitivities. That matrix is a trigonometric polynomial of degree kernel - 1, so its values on a grid of
// 2 kernel - 1 points per axis hold it exactly, and the odd count makes the interpolation weights real.
#include "core/espirit.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

#include "core/hermitian_eigen.h"
#include "core/kernels.h"
#include "core/patch_space.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kBlock = 16;          // image rows per task
constexpr size_t kTile = 16;           // floats of the widest register: rows are padded to a multiple
constexpr float kPerturbation = 1e-3f;  // of the start, so that a dead first coil cannot stop the iteration
constexpr size_t kCoarse = 48;         // pixels per side where only a share of pixels is wanted
constexpr float kSecondSet = 0.95f;    // a second eigenvalue above this belongs to a second set of maps
constexpr double kTurn = 2 * std::numbers::pi;

/// Evaluates polynomials over one kernel axis at `points` angles: in [outer, kernel, inner] -> out [outer, points, inner].
void evaluate(size_t outer, size_t kernel, size_t points, size_t inner, const std::vector<double>& re, const std::vector<double>& im,
              std::vector<double>& out_re, std::vector<double>& out_im) {
  out_re.assign(outer * points * inner, 0);
  out_im.assign(outer * points * inner, 0);
  for (size_t n = 0; n < outer; ++n)
    for (size_t g = 0; g < points; ++g)
      for (size_t o = 0; o < kernel; ++o) {
        const double angle = kTurn * static_cast<double>(g * o % points) / static_cast<double>(points);
        const size_t from = (n * kernel + o) * inner, to = (n * points + g) * inner;
        kernels().complex_axpy(inner, std::cos(angle), std::sin(angle), &re[from], &im[from], &out_re[to], &out_im[to]);
      }
}

/// The pixel matrices on the grid [points y, packed entry, points x], packed as leading_eigenvectors reads them.
std::vector<float> grid_matrices(const Parallel& parallel, size_t coils, size_t kernel, const PatchSpace& space) {
  const size_t points = 2 * kernel - 1, count = space.count;
  std::vector<double> xr, xi, wr, wi;
  evaluate(coils * kernel, kernel, points, count, space.re, space.im, xr, xi);
  evaluate(coils, kernel, points, points * count, xr, xi, wr, wi);
  const double scale = 1 / static_cast<double>(kernel * kernel);
  std::vector<float> grid(points * coils * coils * points);
  parallel(points, [&](size_t gy) {
    for (size_t gx = 0; gx < points; ++gx) {
      float* entry = &grid[gy * coils * coils * points + gx];
      for (size_t c = 0; c < coils; ++c)
        for (size_t d = 0; d <= c; ++d) {
          const size_t p = ((c * points + gy) * points + gx) * count, q = ((d * points + gy) * points + gx) * count;
          c64 sum{0, 0};
          for (size_t k = 0; k < count; ++k) {
            sum.re += wr[p + k] * wr[q + k] + wi[p + k] * wi[q + k];
            sum.im += wi[p + k] * wr[q + k] - wr[p + k] * wi[q + k];
          }
          *entry = static_cast<float>(sum.re * scale);
          entry += points;
          if (d == c) continue;
          *entry = static_cast<float>(sum.im * scale);
          entry += points;
        }
    }
  });
  return grid;
}

/// Weights [points, padded] that interpolate the grid at pixels 0..n-1, the origin at pixel n / 2; periodic beyond.
void interpolation(size_t points, size_t n, size_t padded, float* weights) {
  for (size_t g = 0; g < points; ++g)
    for (size_t i = 0; i < padded; ++i) {
      const double position = (static_cast<double>(i) - static_cast<double>(n / 2)) / static_cast<double>(n);
      const double half = kTurn / 2 * (position - static_cast<double>(g) / static_cast<double>(points));
      const double below = static_cast<double>(points) * std::sin(half);
      const double value = std::fabs(below) < 1e-9 ? 1 : std::sin(static_cast<double>(points) * half) / below;
      weights[g * padded + i] = static_cast<float>(value);
    }
}

/// Start of the power iteration of one set at `padded` pixels, [coils, 2, padded]: coil number `set`, as in the authors' program, so that
/// pixels whose leading eigenvalues nearly coincide come out alike; the phases of the perturbation are those of no smooth sensitivity.
void start_vectors(size_t coils, size_t padded, size_t set, float* vectors) {
  for (size_t c = 0; c < coils; ++c) {
    const double angle = 2.4 * static_cast<double>(c * c);
    float* const re = vectors + 2 * c * padded;
    std::fill_n(re, padded, (c == set ? 1 : 0) + kPerturbation * static_cast<float>(std::cos(angle)));
    std::fill_n(re + padded, padded, kPerturbation * static_cast<float>(std::sin(angle)));
  }
}

/// The `sets` leading eigenvectors at the pixels of an image: visit(y, padded, values [sets, padded], vectors [sets, coils, 2, padded]) for
/// every row, those of a block in order.
template <class Visit>
void each_row(const Parallel& parallel, const EspiritGrid& grid, size_t iterations, size_t sets, ImageSize size, Visit visit) {
  const size_t coils = grid.coils, points = grid.points, entries = coils * coils;
  const size_t padded = (size.nx + kTile - 1) / kTile * kTile, set_length = 2 * coils * padded;
  const Scratch columns(points * padded), rows(points * size.ny);
  interpolation(points, size.nx, padded, columns.data());
  interpolation(points, size.ny, size.ny, rows.data());
  parallel((size.ny + kBlock - 1) / kBlock, [&](size_t block) {
    std::vector<float> row_grid(entries * points);
    const Scratch vectors(sets * set_length), values(sets * padded), scratch((entries + 2 * coils * (sets + 1)) * kTile);
    for (size_t y = block * kBlock; y < std::min(size.ny, (block + 1) * kBlock); ++y) {
      std::fill(row_grid.begin(), row_grid.end(), 0.0f);
      for (size_t g = 0; g < points; ++g) {
        const float weight = rows.data()[g * size.ny + y];
        const float* const from = &grid.matrices[g * entries * points];
        for (size_t i = 0; i < entries * points; ++i) row_grid[i] += weight * from[i];
      }
      for (size_t s = 0; s < sets; ++s) start_vectors(coils, padded, s, vectors.data() + s * set_length);
      kernels().leading_eigenvectors(padded, points, coils, sets, iterations, kEspiritTolerance, row_grid.data(), columns.data(),
                                     vectors.data(), values.data(), scratch.data());
      visit(y, padded, values.data(), vectors.data());
    }
  });
}

}  // namespace

size_t espirit_steps(size_t ny) { return 1 + (ny + kBlock - 1) / kBlock; }

EspiritGrid espirit_grid(const Parallel& parallel, const Kspace& kspace, const CalibrationRegion& region, const EspiritOptions& options) {
  const size_t coils = kspace.coils;
  const std::vector<c64> data = calibration_data(kspace, region);
  const PatchSpace space = patch_space(parallel, coils, region.rows, region.columns, data.data(), options.kernel, options.threshold);
  return {coils, 2 * options.kernel - 1, grid_matrices(parallel, coils, options.kernel, space),
          principal_coil(coils, region.rows * region.columns, data.data())};
}

double espirit_folded_share(const Parallel& parallel, const EspiritGrid& grid, const EspiritOptions& options, ImageSize size) {
  if (grid.coils < 2) return 0;
  const ImageSize coarse{std::min(size.ny, kCoarse), std::min(size.nx, kCoarse)};
  std::vector<size_t> counts(coarse.ny);
  each_row(parallel, grid, options.iterations, 2, coarse, [&](size_t y, size_t padded, const float* values, const float*) {
    for (size_t x = 0; x < coarse.nx; ++x) counts[y] += std::min(values[x], values[padded + x]) > kSecondSet;
  });
  return static_cast<double>(std::accumulate(counts.begin(), counts.end(), size_t{0})) / static_cast<double>(coarse.points());
}

double espirit(const Parallel& parallel, const Kspace& kspace, const CalibrationRegion& region, const EspiritOptions& options, ImageSize size,
               c32* maps, float* values, const Progress& progress) {
  const size_t coils = kspace.coils, sets = options.sets, nx = size.nx, plane = size.points();
  const EspiritGrid grid = espirit_grid(parallel, kspace, region, options);
  std::atomic<size_t> done{1};
  progress(1);
  each_row(parallel, grid, options.iterations, sets, size, [&](size_t y, size_t padded, const float* row_values, const float* vectors) {
    std::vector<size_t> order(sets);
    for (size_t x = 0; x < nx; ++x) {
      std::iota(order.begin(), order.end(), size_t{0});
      std::sort(order.begin(), order.end(), [&](size_t p, size_t q) {
        const float first = row_values[p * padded + x], second = row_values[q * padded + x];
        return first != second ? first > second : p < q;
      });
      for (size_t s = 0; s < sets; ++s) {
        values[s * plane + y * nx + x] = row_values[order[s] * padded + x];
        write_map(grid.principal, padded, vectors + order[s] * 2 * coils * padded + x, plane, maps + s * coils * plane + y * nx + x);
      }
    }
    if ((y + 1) % kBlock == 0 || y + 1 == size.ny) progress(done.fetch_add(1) + 1);
  });
  return espirit_folded_share(parallel, grid, options, size);
}

}  // namespace larmor
