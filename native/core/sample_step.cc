// One pass over memory, a row of all coils at a time: they share its weights.
#include "core/sample_step.h"

#include <algorithm>
#include <vector>

#include "core/scratch.h"

namespace larmor {
namespace {

/// The weights of a row for real and imaginary parts, [2 x], and as many zeros.
class RowWeights {
 public:
  RowWeights(const MaskWeights& mask, size_t row, size_t nx, float factor) : nx_(nx), values_(4 * nx) {
    for (size_t x = 0; x < nx; ++x) values_.data()[2 * x] = values_.data()[2 * x + 1] = factor * mask.at(row, x, nx);
    std::fill_n(values_.data() + 2 * nx, 2 * nx, 0.0f);
  }
  const float* weights() const { return values_.data(); }
  const float* zeros() const { return values_.data() + 2 * nx_; }

 private:
  size_t nx_;
  Scratch values_;
};

}  // namespace

void sample_step(const Parallel& parallel, const SampleStepSizes& sizes, const float* kspace, const MaskWeights& mask, float step, const float* measured,
                 const float* change, float* result) {
  const size_t length = 2 * sizes.nx;
  parallel(sizes.ny, [&](size_t row) {
    const RowWeights line(mask, row, sizes.nx, step);
    const float* const w = line.weights();
    for (size_t coil = 0; coil < sizes.coils; ++coil) {
      const size_t begin = (coil * sizes.ny + row) * length;
      const float *const k = kspace + begin, *const y = measured ? measured + begin : line.zeros(), *const c = change ? change + begin : line.zeros();
      float* const to = result + begin;
      for (size_t i = 0; i < length; ++i) to[i] = k[i] - w[i] * (k[i] - y[i]) + c[i];
    }
  });
}

double sample_step_gradient(const Parallel& parallel, const SampleStepSizes& sizes, const float* dy, const float* kspace, const MaskWeights& mask,
                            const float* measured) {
  constexpr size_t kLanes = 8;
  const size_t length = 2 * sizes.nx;
  std::vector<double> sums(sizes.ny);
  parallel(sizes.ny, [&](size_t row) {
    const RowWeights line(mask, row, sizes.nx, -1);
    const float* const w = line.weights();
    for (size_t coil = 0; coil < sizes.coils; ++coil) {
      const size_t begin = (coil * sizes.ny + row) * length;
      const float *const k = kspace + begin, *const y = measured ? measured + begin : line.zeros(), *const d = dy + begin;
      float lanes[kLanes] = {};
      size_t i = 0;
      for (; i + kLanes <= length; i += kLanes)
        for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += w[i + lane] * (k[i + lane] - y[i + lane]) * d[i + lane];
      for (; i < length; ++i) lanes[0] += w[i] * (k[i] - y[i]) * d[i];
      for (const float sum : lanes) sums[row] += static_cast<double>(sum);
    }
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace larmor
