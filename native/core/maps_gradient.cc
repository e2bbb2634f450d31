// Three passes over the result, one image row of one coil at a time where it is not a transform: they are bound by memory.
#include "core/maps_gradient.h"

#include "core/fft.h"

namespace larmor {

void maps_gradient(const Parallel& parallel, const MapsGradientSizes& sizes, const float* image, const c32* kspace, const MaskWeights& mask,
                   c32* gradient) {
  const size_t coils = sizes.coils, ny = sizes.ny, nx = sizes.nx;
  parallel(coils * ny, [&](size_t row) {
    const c32* const from = kspace + row * nx;
    c32* const to = gradient + row * nx;
    for (size_t x = 0; x < nx; ++x) {
      const float weight = mask.at(row % ny, x, nx);
      to[x] = weight == 0 ? c32{0, 0} : c32{weight * from[x].re, weight * from[x].im};
    }
  });
  fft2(parallel, true, coils, ny, nx, gradient, gradient);
  const float *const re = image, *const im = image + ny * nx;
  parallel(coils * ny, [&](size_t row) {
    c32* const to = gradient + row * nx;
    const float *const a = re + row % ny * nx, *const b = im + row % ny * nx;
    for (size_t x = 0; x < nx; ++x) {
      const c32 z = to[x];
      to[x] = {a[x] * z.re + b[x] * z.im, a[x] * z.im - b[x] * z.re};
    }
  });
}

}  // namespace larmor
