// Gradient of the mean over 2x2 blocks.
#include <cstring>

#include "core/network.h"

namespace larmor {

void average_pool2x2_gradient(const Parallel& parallel, size_t planes, size_t height, size_t width, const float* dy, float* dx) {
  const size_t h = height / 2, w = width / 2;
  parallel(planes, [&](size_t plane) {
    const float* in = dy + plane * h * w;
    float* out = dx + plane * height * width;
    for (size_t row = 0; row < h; ++row, in += w, out += 2 * width) {
      for (size_t column = 0; column < w; ++column) out[2 * column] = out[2 * column + 1] = 0.25f * in[column];
      if (width % 2 == 1) out[width - 1] = 0;
      std::memcpy(out + width, out, width * sizeof(float));
    }
    if (height % 2 == 1) std::memset(out, 0, width * sizeof(float));
  });
}

}  // namespace larmor
