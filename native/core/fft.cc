// Splits arrays into blocks of rows or columns and runs the lane transforms over them.
#include "core/fft.h"

#include <algorithm>

#include "core/fft_plan.h"
#include "core/kernels.h"
#include "core/lanes.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kImagesAsTasks = 8;  // from here on whole images are tasks: a coil stays in the cache between its two passes

void row_block(const FftPlan& plan, bool inverse, size_t block, size_t rows, float scale, const c32* in, c32* out) {
  const Kernels& k = kernels();
  const size_t n = plan.length(), first = block * k.lanes, count = std::min(k.lanes, rows - first);
  const Scratch lanes(plan.slots() * slot_floats());
  k.load_rows(count, n, in + first * n, n, plan.time_slot(), inverse, lanes.data());
  k.fft_time(plan.steps(), lanes.data());
  k.store_rows(count, n, lanes.data(), plan.frequency_slot(), inverse, scale, out + first * n, n);
}

void column_block(const FftPlan& plan, bool inverse, size_t block, size_t columns, float scale, const c32* in, c32* out) {
  const Kernels& k = kernels();
  const size_t n = plan.length(), first = block * k.lanes, count = std::min(k.lanes, columns - first);
  const Scratch lanes(plan.slots() * slot_floats());
  k.load_columns(count, n, in + first, columns, plan.time_slot(), inverse, lanes.data());
  k.fft_time(plan.steps(), lanes.data());
  k.store_columns(count, n, lanes.data(), plan.frequency_slot(), inverse, scale, out + first, columns);
}

}  // namespace

void fft_rows(const Parallel& parallel, bool inverse, size_t rows, size_t n, const c32* in, c32* out) {
  if (rows == 0 || n == 0) return;
  const auto plan = fft_plan(n);
  parallel(lane_blocks(rows), [&](size_t block) { row_block(*plan, inverse, block, rows, plan->scale(), in, out); });
}

void fft_columns(const Parallel& parallel, bool inverse, size_t batch, size_t n, size_t columns, const c32* in, c32* out) {
  if (batch == 0 || n == 0 || columns == 0) return;
  const auto plan = fft_plan(n);
  const size_t per_array = lane_blocks(columns);
  parallel(batch * per_array, [&](size_t task) {
    const size_t offset = task / per_array * n * columns;
    column_block(*plan, inverse, task % per_array, columns, plan->scale(), in + offset, out + offset);
  });
}

void fft2(const Parallel& parallel, bool inverse, size_t batch, size_t ny, size_t nx, const c32* in, c32* out) {
  if (batch == 0 || ny == 0 || nx == 0) return;
  const auto rows = fft_plan(nx), columns = fft_plan(ny);
  const float scale = rows->scale() * columns->scale();
  const auto image = [&](const Parallel& inner, size_t first, size_t count) {
    const c32* const from = in + first * ny * nx;
    c32* const to = out + first * ny * nx;
    inner(lane_blocks(count * ny), [&](size_t block) { row_block(*rows, inverse, block, count * ny, 1, from, to); });
    const size_t per_image = lane_blocks(nx);
    inner(count * per_image, [&](size_t task) {
      c32* const at = to + task / per_image * ny * nx;
      column_block(*columns, inverse, task % per_image, nx, scale, at, at);
    });
  };
  if (batch >= kImagesAsTasks)
    parallel(batch, [&](size_t b) { image(Serial{}, b, 1); });
  else
    image(parallel, 0, batch);
}

}  // namespace larmor
