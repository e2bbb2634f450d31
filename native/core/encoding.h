// The multi-coil encoding operator A x = M F (S x), its adjoint and its normal operator, fused over blocks that stay in the cache.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/complex.h"
#include "core/fft_plan.h"
#include "core/parallel.h"

namespace larmor {

/// An image of one component per set of maps: complex samples [set, y, x], or planes [set, 2, y, x] of real and imaginary parts.
struct ConstImage {
  const float* data;
  bool planar;
};
struct Image {
  float* data;
  bool planar;
  operator ConstImage() const { return {data, planar}; }
};

/// Non-negative weights of the k-space samples, 0 where nothing was measured: [x], the same for every row, or [y, x].
struct MaskWeights {
  const float* data;
  bool lines;
  float at(size_t y, size_t x, size_t nx) const { return data[lines ? x : y * nx + x]; }
};

struct EncodingSizes {
  size_t sets, coils, ny, nx;
};

/// Holds pointers, not copies: maps [set, coil, y, x] and mask must outlive it. Cheap to make; calls may run concurrently.
class Encoding {
 public:
  Encoding(const EncodingSizes& sizes, const c32* maps, const MaskWeights& mask);

  /// kspace [coil, y, x] = M F sum over sets of S x; zero where the mask is.
  void forward(const Parallel& parallel, ConstImage x, c32* kspace) const;
  /// x = S^H F^H M kspace; samples where the mask is zero are not read into the result.
  void adjoint(const Parallel& parallel, const c32* kspace, Image x) const;
  /// y = A^H A x. With a line mask the transforms along y cancel exactly and only those along x are done. y may be x.
  void normal(const Parallel& parallel, ConstImage x, Image y) const;

  /// Columns of k-space with a sample, ascending. Only these are transformed.
  const std::vector<uint32_t>& columns() const { return columns_; }
  /// Work on `count` of those columns of one coil, from `first` on: a lane buffer of unscaled k-space in natural order, which it must leave
  /// with real and imaginary parts swapped.
  using ColumnStep = std::function<void(size_t coil, size_t first, size_t count, float* lanes)>;
  /// y = S^H F^H step(F S x), for both transforms unscaled: the caller's step holds 1 / (nx ny).
  void round_trip(const Parallel& parallel, ConstImage x, const ColumnStep& step, Image y) const;
  /// Weights of the samples in those columns times `factor`, as [y][columns rounded up to whole lane buffers]; true if any is not 0.
  bool gather_weights(const MaskWeights& mask, float factor, float* weights) const;
  const FftPlan& column_plan() const { return *column_plan_; }
  /// 1 / sqrt(nx ny), which makes the transform of an image unitary.
  float scale() const { return row_plan_->scale() * column_plan_->scale(); }

 private:
  /// Rows [first, first + count), which one lane buffer holds.
  struct RowBlock {
    size_t index, first, count;
  };
  size_t row_blocks() const;
  size_t image_block_floats() const;
  RowBlock row_block(size_t block) const;
  void load_image(const RowBlock& rows, ConstImage x, float* lanes) const;
  void store_image(const RowBlock& rows, const float* lanes, Image x) const;
  const c32* map(size_t set, size_t coil) const { return maps_ + (set * sizes_.coils + coil) * sizes_.ny * sizes_.nx; }
  size_t coils_at_once() const;
  template <class Body>
  void each_row(const Parallel& parallel, size_t count, Body&& body) const;

  void image_to_columns(const Parallel& parallel, size_t coil, size_t count, const float* image, c32* planes) const;
  void transform_columns(const Parallel& parallel, bool inverse, size_t count, float scale, c32* planes) const;
  void columns_to_image(const Parallel& parallel, size_t coil, size_t count, const c32* planes, float* image) const;
  void normal_of_lines(const Parallel& parallel, ConstImage x, Image y) const;

  EncodingSizes sizes_;
  const c32* maps_;
  MaskWeights mask_;
  std::shared_ptr<const FftPlan> row_plan_, column_plan_;
  std::vector<uint32_t> columns_, column_slot_;
};

}  // namespace larmor
