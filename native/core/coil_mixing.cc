// Samples pass through in blocks that the cache holds for all coils.
#include "core/coil_mixing.h"

#include <algorithm>
#include <vector>

#include "core/fft_plan.h"
#include "core/kernels.h"
#include "core/lanes.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kTaskPoints = 4096;
constexpr size_t kCachePoints = 256;  // 15 coils of them lie in the first-level cache
constexpr size_t kGramRows = 16;      // rows of one task: their sums are added in order

/// Adds the products of `n` samples of every coil, `stride` apart, to the lower triangle of `gram`. `samples` holds coils * n values.
void add_products(size_t coils, size_t n, const c32* y, size_t stride, c64* samples, c64* gram) {
  for (size_t c = 0; c < coils; ++c)
    for (size_t i = 0; i < n; ++i) samples[c * n + i] = {y[c * stride + i].re, y[c * stride + i].im};
  for (size_t i = 0; i < coils; ++i)
    for (size_t j = 0; j <= i; ++j) {
      const c64 sum = kernels().complex_dot(n, samples + i * n, samples + j * n);
      gram[i * coils + j].re += sum.re;
      gram[i * coils + j].im += sum.im;
    }
}

}  // namespace

void coil_gram(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* y, const CalibrationRegion& region, c64* gram) {
  const size_t row_blocks = (region.rows + kGramRows - 1) / kGramRows, column_blocks = (region.columns + kTaskPoints - 1) / kTaskPoints;
  std::vector<c64> partial(row_blocks * column_blocks * coils * coils);
  parallel(row_blocks * column_blocks, [&](size_t task) {
    const size_t first = task / column_blocks * kGramRows, last = std::min(region.rows, first + kGramRows);
    const size_t left = task % column_blocks * kTaskPoints, right = std::min(region.columns, left + kTaskPoints);
    std::vector<c64> samples(coils * kCachePoints);
    for (size_t row = first; row < last; ++row)
      for (size_t x = left; x < right; x += kCachePoints)
        add_products(coils, std::min(kCachePoints, right - x), y + (region.row + row) * nx + region.column + x, ny * nx, samples.data(),
                     &partial[task * coils * coils]);
  });
  for (size_t i = 0; i < coils; ++i)
    for (size_t j = 0; j <= i; ++j) {
      c64 sum{0, 0};
      for (size_t task = 0; task < row_blocks * column_blocks; ++task) {
        const c64& part = partial[(task * coils + i) * coils + j];
        sum.re += part.re;
        sum.im += part.im;
      }
      gram[i * coils + j] = sum;
      gram[j * coils + i] = {sum.re, -sum.im};
    }
}

void mix_coils(const Parallel& parallel, size_t mixed, size_t coils, size_t points, const c32* matrix, const c32* in, c32* out) {
  parallel((points + kTaskPoints - 1) / kTaskPoints, [&](size_t task) {
    const size_t end = std::min(points, (task + 1) * kTaskPoints);
    for (size_t i = task * kTaskPoints; i < end; i += kCachePoints)
      kernels().mix_coils(std::min(kCachePoints, end - i), coils, mixed, matrix, in + i, points, out + i, points);
  });
}

void mix_coils_along_readout(const Parallel& parallel, size_t mixed, size_t coils, size_t ny, size_t nx, const c32* matrices, const c32* in,
                             c32* out) {
  if (ny == 0 || nx == 0) return;
  const Kernels& k = kernels();
  const auto plan = fft_plan(ny);
  const size_t block = ny * k.lanes;  // samples of one coil in the columns of a task
  parallel(lane_blocks(nx), [&](size_t task) {
    const size_t first = task * k.lanes, count = std::min(k.lanes, nx - first);
    const Scratch lanes(plan->slots() * slot_floats()), images(2 * (coils + mixed) * block);
    c32 *const from = reinterpret_cast<c32*>(images.data()), *const to = from + coils * block;
    for (size_t c = 0; c < coils; ++c) {
      k.load_columns(count, ny, in + c * ny * nx + first, nx, plan->time_slot(), true, lanes.data());
      k.fft_time(plan->steps(), lanes.data());
      k.store_columns(count, ny, lanes.data(), plan->frequency_slot(), true, plan->scale(), from + c * block, k.lanes);
    }
    for (size_t y = 0; y < ny; ++y)
      k.mix_coils(count, coils, mixed, matrices + y * mixed * coils, from + y * k.lanes, block, to + y * k.lanes, block);
    for (size_t v = 0; v < mixed; ++v) {
      k.load_columns(count, ny, to + v * block, k.lanes, plan->time_slot(), false, lanes.data());
      k.fft_time(plan->steps(), lanes.data());
      k.store_columns(count, ny, lanes.data(), plan->frequency_slot(), false, plan->scale(), out + v * ny * nx + first, nx);
    }
  });
}

}  // namespace larmor
