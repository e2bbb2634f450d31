// Sums over pixels run block by block in double, and the blocks are added in order.
#include "core/map_support.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/coils.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kBlock = 4096;  // points of one task
constexpr size_t kBins = 512;    // of the histogram: a crop is found to 0.004 at worst

double energy(const Parallel& parallel, size_t points, const c32* x) {
  std::vector<double> sums((points + kBlock - 1) / kBlock);
  parallel(sums.size(), [&](size_t block) {
    double re = 0, im = 0;
    for (size_t i = block * kBlock; i < std::min(points, (block + 1) * kBlock); ++i) {
      re += static_cast<double>(x[i].re) * x[i].re;
      im += static_cast<double>(x[i].im) * x[i].im;
    }
    sums[block] = re + im;
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

double automatic_crop(size_t points, const float* values) {
  std::vector<size_t> histogram(kBins);
  double sum = 0;
  for (size_t p = 0; p < points; ++p) {
    const double rejected = std::sqrt(std::clamp(1 - static_cast<double>(values[p]), 0.0, 1.0));
    const size_t bin = std::min(kBins - 1, static_cast<size_t>(rejected * kBins));
    ++histogram[bin];
    sum += static_cast<double>(bin);
  }
  double count = 0, partial = 0, best = 0, threshold = 1;
  for (size_t bin = 0; bin + 1 < kBins; ++bin) {
    count += static_cast<double>(histogram[bin]);
    partial += static_cast<double>(histogram[bin] * bin);
    const double rest = static_cast<double>(points) - count;
    if (count == 0 || rest == 0) continue;
    const double distance = partial / count - (sum - partial) / rest;
    const double between = count * rest * distance * distance;  // variance between the two classes
    if (between > best) {
      best = between;
      threshold = static_cast<double>(bin + 1) / kBins;
    }
  }
  return 1 - threshold * threshold;
}

double map_weight(double value, double crop, bool soft) {
  if (!soft) return value > crop ? 1 : 0;
  const double t = std::clamp((std::sqrt(std::max(value, 0.0)) - (2 * crop - 1)) / (2 * (1 - crop)), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

void weigh_maps(const Parallel& parallel, size_t sets, size_t coils, size_t points, const float* values, double crop, bool soft, c32* maps) {
  parallel((points + kBlock - 1) / kBlock, [&](size_t block) {
    const size_t begin = block * kBlock, end = std::min(points, begin + kBlock);
    std::vector<float> weights(kBlock);
    for (size_t s = 0; s < sets; ++s) {
      for (size_t p = begin; p < end; ++p) weights[p - begin] = static_cast<float>(map_weight(values[s * points + p], crop, soft));
      for (size_t c = 0; c < coils; ++c) {
        c32* const map = maps + (s * coils + c) * points;
        for (size_t p = begin; p < end; ++p) map[p] = {map[p].re * weights[p - begin], map[p].im * weights[p - begin]};
      }
    }
  });
}

double unexplained_share(const Parallel& parallel, size_t sets, size_t coils, size_t points, const c32* maps, c32* images) {
  const Scratch block(2 * sets * points);
  c32* const combined = reinterpret_cast<c32*>(block.data());
  const double all = energy(parallel, coils * points, images);
  if (!(all > 0)) return 0;
  combine_coils(parallel, sets, coils, points, maps, images, combined);
  multiply_maps(parallel, sets, coils, points, maps, combined, images);
  // ||x - S p||^2 with p = S^H x
  return std::max(0.0, (all - 2 * energy(parallel, sets * points, combined) + energy(parallel, coils * points, images)) / all);
}

}  // namespace larmor
