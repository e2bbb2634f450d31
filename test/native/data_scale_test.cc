// Brightness of k-space whose image is known: constant over a rectangle.
#include "core/data_scale.h"

#include <vector>

#include "check.h"
#include "core/fft.h"

using larmor::c32;
using larmor::Serial;

int main() {
  const size_t ny = 60, nx = 48, coils = 2;
  std::vector<c32> images(coils * ny * nx, c32{0, 0}), kspace(images.size());
  for (size_t c = 0; c < coils; ++c)
    for (size_t y = 10; y < 50; ++y)
      for (size_t x = 8; x < 40; ++x) images[(c * ny + y) * nx + x] = c == 0 ? c32{3, 0} : c32{0, -4};
  larmor::fft2(Serial{}, false, coils, ny, nx, images.data(), kspace.data());
  std::vector<uint8_t> mask(nx, 1);
  // 3 and 4 combine to 5; at 32 of 60 x 48 samples Gibbs ringing leaves a few per cent.
  const float scale = larmor::data_scale(Serial{}, coils, ny, nx, kspace.data(), {mask.data(), true});
  CHECK(scale > 4.9f && scale < 5.6f);
  const float threaded = larmor::data_scale(larmor::Pooled(3), coils, ny, nx, kspace.data(), {mask.data(), true});
  CHECK(threaded == scale);
  return larmor::test::finish();
}
