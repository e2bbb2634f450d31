// Coils pass through in groups small enough for the cache: rows of image times maps, columns of k-space, rows back.
#include "core/encoding.h"

#include <algorithm>
#include <cstring>

#include "core/kernels.h"
#include "core/lanes.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kPlaneBytes = 1u << 20;  // of the sampled columns of the coils in flight: the second-level cache of a core

}  // namespace

Encoding::Encoding(const EncodingSizes& sizes, const c32* maps, const MaskWeights& mask)
    : sizes_(sizes), maps_(maps), mask_(mask), row_plan_(fft_plan(sizes.nx)), column_plan_(fft_plan(sizes.ny)) {
  std::vector<bool> sampled(sizes.nx);
  for (size_t y = 0; y < (mask.lines ? 1 : sizes.ny); ++y)
    for (size_t x = 0; x < sizes.nx; ++x)
      if (mask.at(y, x, sizes.nx) != 0) sampled[x] = true;
  for (size_t x = 0; x < sizes.nx; ++x)
    if (sampled[x]) {
      columns_.push_back(static_cast<uint32_t>(x));
      column_slot_.push_back(row_plan_->frequency_slot()[x]);
    }
}

// An image in lanes is [row block][set][slot][re, im][lane], slots in the time order of the row transform.
size_t Encoding::image_block_floats() const { return sizes_.sets * sizes_.nx * slot_floats(); }

size_t Encoding::row_blocks() const { return lane_blocks(sizes_.ny); }

Encoding::RowBlock Encoding::row_block(size_t block) const {
  const size_t first = block * kernels().lanes;
  return {block, first, std::min(kernels().lanes, sizes_.ny - first)};
}

size_t Encoding::coils_at_once() const {
  const size_t plane = std::max<size_t>(1, sizes_.ny * columns_.size() * sizeof(c32));
  return std::clamp<size_t>(kPlaneBytes / plane, 1, std::max<size_t>(1, sizes_.coils));
}

void Encoding::load_image(const RowBlock& rows, ConstImage x, float* lanes) const {
  const size_t points = sizes_.ny * sizes_.nx, start = rows.first * sizes_.nx;
  for (size_t set = 0; set < sizes_.sets; ++set, lanes += sizes_.nx * slot_floats()) {
    const float* const at = x.data + 2 * set * points;
    if (x.planar)
      kernels().load_planes(rows.count, sizes_.nx, at + start, at + points + start, sizes_.nx, row_plan_->time_slot(), lanes);
    else
      kernels().load_rows(rows.count, sizes_.nx, reinterpret_cast<const c32*>(at) + start, sizes_.nx, row_plan_->time_slot(), false, lanes);
  }
}

void Encoding::store_image(const RowBlock& rows, const float* lanes, Image x) const {
  const size_t points = sizes_.ny * sizes_.nx, start = rows.first * sizes_.nx;
  for (size_t set = 0; set < sizes_.sets; ++set, lanes += sizes_.nx * slot_floats()) {
    float* const at = x.data + 2 * set * points;
    if (x.planar)
      kernels().store_planes(rows.count, sizes_.nx, lanes, row_plan_->time_slot(), at + start, at + points + start, sizes_.nx);
    else
      kernels().store_rows(rows.count, sizes_.nx, lanes, row_plan_->time_slot(), false, 1, reinterpret_cast<c32*>(at) + start, sizes_.nx);
  }
}

/// Sampled columns of F_x S x for `count` coils from `coil` on: planes [coil, y, column].
void Encoding::image_to_columns(const Parallel& parallel, size_t coil, size_t count, const float* image, c32* planes) const {
  const Kernels& k = kernels();
  const size_t nx = sizes_.nx, m = columns_.size(), row_floats = nx * slot_floats();
  parallel(count * row_blocks(), [&](size_t task) {
    const size_t c = task / row_blocks();
    const RowBlock rows = row_block(task % row_blocks());
    const Scratch work(row_plan_->slots() * slot_floats()), map_lanes(row_floats);
    for (size_t set = 0; set < sizes_.sets; ++set) {
      k.load_rows(rows.count, nx, map(set, coil + c) + rows.first * nx, nx, row_plan_->time_slot(), false, map_lanes.data());
      k.multiply_lanes(nx, set > 0, map_lanes.data(), image + (rows.index * sizes_.sets + set) * row_floats, work.data());
    }
    k.fft_time(row_plan_->steps(), work.data());
    k.store_rows(rows.count, m, work.data(), column_slot_.data(), false, 1, planes + (c * sizes_.ny + rows.first) * m, m);
  });
}

/// Transforms along y in place.
void Encoding::transform_columns(const Parallel& parallel, bool inverse, size_t count, float scale, c32* planes) const {
  const Kernels& k = kernels();
  const size_t ny = sizes_.ny, m = columns_.size(), per_coil = lane_blocks(m);
  parallel(count * per_coil, [&](size_t task) {
    const size_t first = task % per_coil * k.lanes, width = std::min(k.lanes, m - first);
    c32* const at = planes + task / per_coil * ny * m + first;
    const Scratch lanes(column_plan_->slots() * slot_floats());
    k.load_columns(width, ny, at, m, column_plan_->time_slot(), inverse, lanes.data());
    k.fft_time(column_plan_->steps(), lanes.data());
    k.store_columns(width, ny, lanes.data(), column_plan_->frequency_slot(), inverse, scale, at, m);
  });
}

/// Adds S^H F_x^H of the planes to an image in lanes. Each row block takes its coils in order.
void Encoding::columns_to_image(const Parallel& parallel, size_t coil, size_t count, const c32* planes, float* image) const {
  const Kernels& k = kernels();
  const size_t nx = sizes_.nx, m = columns_.size(), row_floats = nx * slot_floats();
  parallel(row_blocks(), [&](size_t block) {
    const RowBlock rows = row_block(block);
    const Scratch work(row_plan_->slots() * slot_floats()), map_lanes(row_floats);
    for (size_t c = 0; c < count; ++c) {
      if (m < nx) std::memset(work.data(), 0, row_floats * sizeof(float));
      k.load_rows(rows.count, m, planes + (c * sizes_.ny + rows.first) * m, m, column_slot_.data(), true, work.data());
      k.fft_frequency(row_plan_->steps(), work.data());
      for (size_t set = 0; set < sizes_.sets; ++set) {
        k.load_rows(rows.count, nx, map(set, coil + c) + rows.first * nx, nx, row_plan_->time_slot(), false, map_lanes.data());
        k.add_conjugate_product(nx, map_lanes.data(), work.data(), image + (rows.index * sizes_.sets + set) * row_floats);
      }
    }
  });
}

/// Calls body(y, coil * ny + y) for every row of `count` coils.
template <class Body>
void Encoding::each_row(const Parallel& parallel, size_t count, Body&& body) const {
  parallel(count * row_blocks(), [&](size_t task) {
    const RowBlock rows = row_block(task % row_blocks());
    for (size_t y = rows.first; y < rows.first + rows.count; ++y) body(y, task / row_blocks() * sizes_.ny + y);
  });
}

void Encoding::forward(const Parallel& parallel, ConstImage x, c32* kspace) const {
  const size_t ny = sizes_.ny, nx = sizes_.nx, m = columns_.size(), at_once = coils_at_once(), block_floats = image_block_floats();
  const Scratch image(row_blocks() * block_floats), planes(2 * at_once * ny * m);
  c32* const samples = reinterpret_cast<c32*>(planes.data());
  parallel(row_blocks(), [&](size_t block) { load_image(row_block(block), x, image.data() + block * block_floats); });
  for (size_t coil = 0; coil < sizes_.coils; coil += at_once) {
    const size_t count = std::min(at_once, sizes_.coils - coil);
    image_to_columns(parallel, coil, count, image.data(), samples);
    transform_columns(parallel, false, count, scale(), samples);
    each_row(parallel, count, [&](size_t y, size_t row) {
      c32* const to = kspace + (coil * ny + row) * nx;
      std::memset(to, 0, nx * sizeof(c32));
      for (size_t i = 0; i < m; ++i) {
        const float weight = mask_.at(y, columns_[i], nx);
        to[columns_[i]] = {weight * samples[row * m + i].re, weight * samples[row * m + i].im};
      }
    });
  }
}

void Encoding::adjoint(const Parallel& parallel, const c32* kspace, Image x) const {
  const size_t ny = sizes_.ny, nx = sizes_.nx, m = columns_.size(), at_once = coils_at_once(), block_floats = image_block_floats();
  const Scratch image(row_blocks() * block_floats), planes(2 * at_once * ny * m);
  c32* const samples = reinterpret_cast<c32*>(planes.data());
  std::memset(image.data(), 0, row_blocks() * block_floats * sizeof(float));
  for (size_t coil = 0; coil < sizes_.coils; coil += at_once) {
    const size_t count = std::min(at_once, sizes_.coils - coil);
    each_row(parallel, count, [&](size_t y, size_t row) {
      const c32* const from = kspace + (coil * ny + row) * nx;
      for (size_t i = 0; i < m; ++i) {
        const float weight = mask_.at(y, columns_[i], nx);
        const c32 value = weight == 0 ? c32{0, 0} : from[columns_[i]];
        samples[row * m + i] = {weight * value.re, weight * value.im};
      }
    });
    transform_columns(parallel, true, count, scale(), samples);
    columns_to_image(parallel, coil, count, samples, image.data());
  }
  parallel(row_blocks(), [&](size_t block) { store_image(row_block(block), image.data() + block * block_floats, x); });
}

}  // namespace larmor
