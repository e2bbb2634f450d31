// Frame by frame; each encoding splits its own work.
#include "core/encoding_stack.h"

#include <algorithm>
#include <cmath>

namespace larmor {

EncodingStack::EncodingStack(size_t frames, const EncodingSizes& sizes, const c32* maps, bool maps_shared, const MaskWeights& mask, bool mask_shared)
    : sizes_(sizes),
      maps_(maps),
      map_frames_(maps_shared ? 1 : frames),
      mask_(mask),
      mask_stride_(mask_shared ? 0 : (mask.lines ? 1 : sizes.ny) * sizes.nx) {
  const size_t maps_stride = maps_shared ? 0 : sizes.sets * kspace_points();
  for (size_t f = 0; f < frames; ++f)
    encodings_.emplace_back(sizes, maps + f * maps_stride, MaskWeights{mask.data + f * mask_stride_, mask.lines});
}

void EncodingStack::adjoint(const Parallel& parallel, const c32* kspace, float* x) const {
  for (size_t f = 0; f < frames(); ++f) encodings_[f].adjoint(parallel, kspace + f * kspace_points(), {x + 2 * f * image_points(), false});
}

void EncodingStack::normal(const Parallel& parallel, const float* x, float* y) const {
  const size_t stride = 2 * image_points();
  for (size_t f = 0; f < frames(); ++f) encodings_[f].normal(parallel, {x + f * stride, false}, {y + f * stride, false});
}

double EncodingStack::energy(const Parallel& parallel, const c32* kspace) const {
  const size_t ny = sizes_.ny, nx = sizes_.nx, images = frames() * sizes_.coils;
  std::vector<double> sums(images);
  parallel(images, [&](size_t image) {
    const float* const weights = mask_.data + image / sizes_.coils * mask_stride_;
    const c32* const samples = kspace + image * ny * nx;
    for (size_t i = 0; i < ny * nx; ++i)
      if (weights[mask_.lines ? i % nx : i] != 0)
        sums[image] += static_cast<double>(samples[i].re) * samples[i].re + static_cast<double>(samples[i].im) * samples[i].im;
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

double EncodingStack::curvature(const Parallel& parallel) const {
  const size_t sets = sizes_.sets, coils = sizes_.coils, ny = sizes_.ny, nx = sizes_.nx, plane = ny * nx;
  std::vector<float> largest(map_frames_ * ny);
  parallel(largest.size(), [&](size_t task) {
    const c32* const row = maps_ + task / ny * sets * coils * plane + task % ny * nx;
    std::vector<float> trace(nx), circle(nx), sum(nx), re(nx), im(nx);
    for (size_t s = 0; s < sets; ++s) {
      std::fill(sum.begin(), sum.end(), 0.0f);
      for (size_t t = 0; t < sets; ++t) {
        std::fill(re.begin(), re.end(), 0.0f);
        std::fill(im.begin(), im.end(), 0.0f);
        for (size_t c = 0; c < coils; ++c) {
          const c32 *const a = row + (s * coils + c) * plane, *const b = row + (t * coils + c) * plane;
          for (size_t i = 0; i < nx; ++i) {
            re[i] += a[i].re * b[i].re + a[i].im * b[i].im;
            im[i] += a[i].re * b[i].im - a[i].im * b[i].re;
          }
        }
        for (size_t i = 0; i < nx; ++i) sum[i] += std::sqrt(re[i] * re[i] + im[i] * im[i]);
        if (t == s)
          for (size_t i = 0; i < nx; ++i) trace[i] += re[i];
      }
      for (size_t i = 0; i < nx; ++i) circle[i] = std::max(circle[i], sum[i]);
    }
    for (size_t i = 0; i < nx; ++i) largest[task] = std::max(largest[task], std::min(trace[i], circle[i]));
  });
  return *std::max_element(largest.begin(), largest.end());
}

}  // namespace larmor
