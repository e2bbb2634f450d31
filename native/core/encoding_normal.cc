// From image to image in one pass over the coils: the normal operator, and other work on k-space between the two transforms.
#include <algorithm>
#include <cstring>

#include "core/encoding.h"
#include "core/kernels.h"
#include "core/lanes.h"
#include "core/scratch.h"

namespace larmor {

void Encoding::round_trip(const Parallel& parallel, ConstImage x, const ColumnStep& step, Image y) const {
  const Kernels& k = kernels();
  const size_t ny = sizes_.ny, m = columns_.size(), per_coil = lane_blocks(m), at_once = coils_at_once();
  const size_t block_floats = image_block_floats();
  const Scratch image(row_blocks() * block_floats), sum(row_blocks() * block_floats), planes(2 * at_once * ny * m);
  c32* const samples = reinterpret_cast<c32*>(planes.data());
  parallel(row_blocks(), [&](size_t block) {
    load_image(row_block(block), x, image.data() + block * block_floats);
    std::memset(sum.data() + block * block_floats, 0, block_floats * sizeof(float));
  });
  for (size_t coil = 0; coil < sizes_.coils; coil += at_once) {
    const size_t count = std::min(at_once, sizes_.coils - coil);
    image_to_columns(parallel, coil, count, image.data(), samples);
    parallel(count * per_coil, [&](size_t task) {
      const size_t first = task % per_coil * k.lanes, width = std::min(k.lanes, m - first);
      c32* const at = samples + task / per_coil * ny * m + first;
      const Scratch lanes(column_plan_->slots() * slot_floats());
      k.load_columns(width, ny, at, m, column_plan_->time_slot(), false, lanes.data());
      k.fft_time(column_plan_->steps(), lanes.data());
      step(coil + task / per_coil, first, width, lanes.data());
      k.fft_frequency(column_plan_->steps(), lanes.data());
      k.store_columns(width, ny, lanes.data(), column_plan_->time_slot(), true, 1, at, m);
    });
    columns_to_image(parallel, coil, count, samples, sum.data());
  }
  parallel(row_blocks(), [&](size_t block) { store_image(row_block(block), sum.data() + block * block_floats, y); });
}

void Encoding::normal_of_lines(const Parallel& parallel, ConstImage x, Image y) const {
  const Kernels& k = kernels();
  const size_t nx = sizes_.nx, row_floats = nx * slot_floats(), sets = sizes_.sets;
  std::vector<float> weights(nx);
  for (size_t i = 0; i < nx; ++i) weights[i] = mask_.data[i] * mask_.data[i] / static_cast<float>(nx);
  parallel(row_blocks(), [&](size_t block) {
    const RowBlock rows = row_block(block);
    const Scratch image(sets * row_floats), sum(sets * row_floats), map_lanes(sets * row_floats), work(row_plan_->slots() * slot_floats());
    load_image(rows, x, image.data());
    std::memset(sum.data(), 0, sets * row_floats * sizeof(float));
    for (size_t coil = 0; coil < sizes_.coils; ++coil) {
      for (size_t set = 0; set < sets; ++set) {
        float* const at = map_lanes.data() + set * row_floats;
        k.load_rows(rows.count, nx, map(set, coil) + rows.first * nx, nx, row_plan_->time_slot(), false, at);
        k.multiply_lanes(nx, set > 0, at, image.data() + set * row_floats, work.data());
      }
      k.fft_time(row_plan_->steps(), work.data());
      k.weigh_rows(nx, weights.data(), row_plan_->frequency_slot(), work.data());
      k.fft_frequency(row_plan_->steps(), work.data());
      for (size_t set = 0; set < sets; ++set)
        k.add_conjugate_product(nx, map_lanes.data() + set * row_floats, work.data(), sum.data() + set * row_floats);
    }
    store_image(rows, sum.data(), y);
  });
}

bool Encoding::gather_weights(const MaskWeights& mask, float factor, float* weights) const {
  const size_t m = columns_.size(), padded = lane_blocks(m) * kernels().lanes;
  bool any = false;
  for (size_t y = 0; y < sizes_.ny; ++y, weights += padded) {
    for (size_t i = 0; i < m; ++i) {
      const float weight = mask.at(y, columns_[i], sizes_.nx);
      weights[i] = weight * factor;
      any = any || weight != 0;
    }
    std::fill(weights + m, weights + padded, 0.0f);
  }
  return any;
}

void Encoding::normal(const Parallel& parallel, ConstImage x, Image y) const {
  if (mask_.lines) return normal_of_lines(parallel, x, y);
  const size_t ny = sizes_.ny, padded = lane_blocks(columns_.size()) * kernels().lanes;
  const Scratch weights(ny * padded);
  gather_weights(mask_, scale(), weights.data());
  for (size_t i = 0; i < ny * padded; ++i) weights.data()[i] *= weights.data()[i];
  const auto weigh = [&](size_t, size_t first, size_t, float* lanes) {
    kernels().weigh_columns(ny, weights.data() + first, padded, column_plan_->frequency_slot(), lanes);
  };
  round_trip(parallel, x, weigh, y);
}

}  // namespace larmor
