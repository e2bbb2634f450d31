// Batched centred unitary transforms.
#include <algorithm>

#include "cuda/entries.h"
#include "cuda/plane_transform.h"

namespace larmor::cuda {
namespace {

struct ScaledToPlanes : ToPlanes {
  float factor;
  __device__ void write(const Raw& raw, const Pixel& pixel, uint32_t coil, float2 value) const { ToPlanes::write(raw, pixel, coil, factor * value); }
};

}  // namespace

// Per sample 16 bytes are moved in each of two passes.
LarmorCudaStatus fft2(LarmorCudaContext* context, int32_t inverse, uint64_t count, uint32_t ny, uint32_t nx, const float* device_in, float* device_out) {
  return on_context("fft2", context, [&](Context& c) {
    require(inverse == 0 || inverse == 1, "inverse must be 0 or 1, got ", inverse);
    const uint64_t points = static_cast<uint64_t>(ny) * nx;
    require(points <= kMostPoints, "images must have at most ", kMostPoints, " points, got ", points);
    if (count == 0 || points == 0) return;
    require(device_in != nullptr && device_out != nullptr, "device_in and device_out must not be null");
    const PlaneTransform transform(c, ny, nx);
    const float factor = unitary_scale(points);
    for (uint64_t first = 0; first < count; first += kGridLimit) {
      const PassSizes sizes{static_cast<uint32_t>(std::min<uint64_t>(kGridLimit, count - first)), 1, ny, nx};
      auto* const in = reinterpret_cast<float2*>(const_cast<float*>(device_in)) + first * points;  // only read
      float2* const out = reinterpret_cast<float2*>(device_out) + first * points;
      const FromPlanes source{{sizes, in}};
      const ScaledToPlanes sink{{{sizes, out}}, factor};
      if (inverse == 0)
        transform.forward(sizes, out, source, sink);
      else
        transform.inverse(sizes, out, source, sink);
    }
  });
}

}  // namespace larmor::cuda
