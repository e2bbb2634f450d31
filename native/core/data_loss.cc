// One round trip through the encoding operator per image, with the residual taken between its two halves.
#include "core/data_loss.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/coded_error.h"
#include "core/kernels.h"
#include "core/lanes.h"
#include "core/scratch.h"

namespace larmor {
namespace {

void add(ResidualSums& total, const ResidualSums& sums) {
  total.residual += sums.residual;
  total.reference += sums.reference;
  total.held_out_residual += sums.held_out_residual;
  total.held_out_reference += sums.held_out_reference;
}

/// Adds the sums of one image and writes its gradient, both before division by the norms of the batch.
void accumulate(const Parallel& parallel, LossNorm norm, const Measurements& measured, const MaskWeights& mask, const MaskWeights& held_out,
                const c32* maps, const c32* kspace, const float* image, float* gradient, ResidualSums& total) {
  const Kernels& k = kernels();
  const size_t ny = measured.ny, nx = measured.nx;
  std::vector<float> either(measured.lines ? nx : ny * nx);
  for (size_t i = 0; i < either.size(); ++i) either[i] = mask.data[i] + held_out.data[i];
  const Encoding encoding({.sets = 1, .coils = measured.coils, .ny = ny, .nx = nx}, maps, {either.data(), measured.lines});

  const std::vector<uint32_t>& columns = encoding.columns();
  const size_t blocks = lane_blocks(columns.size()), padded = blocks * k.lanes;
  const Scratch weights(ny * padded), held_weights(ny * padded);
  const bool holds_out = encoding.gather_weights(held_out, 1, held_weights.data());
  encoding.gather_weights(mask, 1, weights.data());
  std::vector<uint32_t> column(padded, columns.empty() ? 0 : columns.back());  // spare lanes have weight 0
  std::copy(columns.begin(), columns.end(), column.begin());

  std::vector<ResidualSums> sums(measured.coils * blocks);
  const auto residual = [&](size_t coil, size_t first, size_t, float* lanes) {
    const ResidualColumns block{.column = column.data() + first,
                                .measured = kspace + coil * ny * nx,
                                .stride = nx,
                                .weight = weights.data() + first,
                                .held_out = holds_out ? held_weights.data() + first : nullptr,
                                .weight_stride = padded,
                                .scale = encoding.scale()};
    k.column_residual(norm == LossNorm::kL1, ny, block, encoding.column_plan().frequency_slot(), lanes, &sums[coil * blocks + first / k.lanes]);
  };
  encoding.round_trip(parallel, {image, true}, residual, {gradient, true});
  for (const ResidualSums& part : sums) add(total, part);
}

}  // namespace

DataLossValue data_loss(const Parallel& parallel, LossNorm norm, const Measurements& measured, const float* image, float* gradient) {
  const size_t points = measured.ny * measured.nx, samples = measured.coils * points, weights = measured.lines ? measured.nx : points;
  ResidualSums total{};
  for (size_t b = 0; b < measured.batch; ++b) {
    const MaskWeights mask{measured.mask + b * weights, measured.lines}, held_out{measured.held_out + b * weights, measured.lines};
    accumulate(parallel, norm, measured, mask, held_out, measured.maps + b * samples, measured.kspace + b * samples, image + 2 * b * points,
               gradient + 2 * b * points, total);
  }
  if (!(total.reference > 0)) throw CodedError("ERR_ARGUMENT", "DataLoss: kspace is zero at every sample of mask; the loss is not defined");

  const auto ratio = [&](double residual, double reference) {
    return reference > 0 ? norm == LossNorm::kL1 ? residual / reference : std::sqrt(residual / reference) : 0;
  };
  const double divisor = norm == LossNorm::kL1 ? total.reference : std::sqrt(total.residual * total.reference);
  const float factor = divisor > 0 ? static_cast<float>(1 / divisor) : 0;
  parallel(measured.batch * 2 * measured.ny, [&](size_t row) {
    for (float* g = gradient + row * measured.nx; g != gradient + (row + 1) * measured.nx; ++g) *g *= factor;
  });
  return {.loss = static_cast<float>(ratio(total.residual, total.reference)),
          .held_out_loss = static_cast<float>(ratio(total.held_out_residual, total.held_out_reference))};
}

}  // namespace larmor
