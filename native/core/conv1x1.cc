// Gradients of a 1x1 convolution with respect to weights and bias: a product of two wide, flat matrices.
#include <algorithm>

#include "core/conv_strips.h"
#include "core/network.h"

namespace larmor {
namespace {

constexpr size_t kPositions = 1024;  // per strip: long against the cost of adding up lanes
constexpr size_t kOutChannels = 32;  // per task
constexpr size_t kTasks = 16;        // wanted at least, where the image has as many strips

}  // namespace

void conv1x1_weight_gradient(const Parallel& parallel, size_t n, size_t ci, size_t co, size_t pixels, const float* x, const float* dy, float* dw,
                             float* dbias) {
  if (n * pixels == 0) {
    std::fill_n(dw, co * ci, 0.0f);
    if (dbias != nullptr) std::fill_n(dbias, co, 0.0f);
    return;
  }
  const Strips strips(pixels, 1, kPositions);
  const size_t stride = channel_stride(strips.rows), groups = (co + kOutChannels - 1) / kOutChannels;
  if (co * ci > 0)
    sum_in_bands(parallel, n * strips.per_image, groups, kTasks, co * ci, dw, [&](size_t begin, size_t end, size_t group, float* sums) {
      const size_t out_begin = group * kOutChannels, outs = std::min(kOutChannels, co - out_begin);
      const Scratch x_packed(ci * stride), dy_packed(outs * stride);
      float* const out = sums + out_begin * ci;
      std::fill_n(out, outs * ci, 0.0f);
      for (size_t s = begin; s < end; ++s) {
        const Strips::Rows run = strips[s];
        const ConvStrip strip{.length = round_up(run.count(), kStripAlign), .row = 0, .y_stride = stride, .x_stride = stride};
        pack_run(ci, x + run.image * ci * pixels + run.first, pixels, run.count(), stride, x_packed.data());
        pack_run(outs, dy + (run.image * co + out_begin) * pixels + run.first, pixels, run.count(), stride, dy_packed.data());
        kernels().conv1x1_weight_gradient_strip(outs, ci, strip, dy_packed.data(), x_packed.data(), ci, out);
      }
    });
  if (dbias == nullptr) return;
  parallel(co, [&](size_t o) {
    double sum = 0;
    for (size_t image = 0; image < n; ++image) {
      double mean, variance;
      kernels().plane_moments(pixels, dy + (image * co + o) * pixels, &mean, &variance);
      sum += mean * static_cast<double>(pixels);
    }
    dbias[o] = static_cast<float>(sum);
  });
}

}  // namespace larmor
