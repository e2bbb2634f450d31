// The centred unitary FFT of images, both ways.
#include "checks.h"
#include "core/fft.h"
#include "values.h"

namespace larmor::gpu_check {

void check_transforms(Checks& checks) {
  const Device& device = checks.device;
  for (const Extent& e : checks.sizes.extents)
    for (const bool inverse : {false, true}) {
      const size_t count = e.planes();
      const Floats x = noise(2 * count * e.points(), 1);
      Floats want(x.size());
      fft2(checks.cpu, inverse, count, e.ny, e.nx, complex(x.data()), complex(want.data()));
      const Array in(device, x), out(device, x.size());
      const std::string what = std::to_string(count) + "x" + std::to_string(e.ny) + "x" + std::to_string(e.nx) + (inverse ? ", inverse" : "");
      checks.compare("fft2", what, {{out, want}}, [&] { device.call("fft2", device->fft2, inverse, count, e.ny, e.nx, in, out); });
      checks.compare("fft2", what + ", in place", {{out, want}}, [&] {
        device.call("copy", device->copy, out, in, x.size() * sizeof(float));
        device.call("fft2", device->fft2, inverse, count, e.ny, e.nx, out, out);
      });
    }
}

}  // namespace larmor::gpu_check
