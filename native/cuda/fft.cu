// Batched transforms: phases on the way in, cuFFT in place, phases and scale on the way out.
#include "cuda/fft.h"

#include <algorithm>

#include "cuda/entries.h"

namespace larmor::cuda {
namespace {

constexpr uint64_t kMostAtOnce = 65535;  // images of a launch, along y of the grid

/// out = factor times the phases times in; blockIdx.y counts images. out may be in.
template <bool kInverse>
__global__ void centre_kernel(Centring centring, uint32_t points, uint32_t nx, float factor, const float2* in, float2* out) {
  const uint64_t p = global_index();
  if (p >= points) return;
  const auto pixel = static_cast<uint32_t>(p);
  const uint64_t at = static_cast<uint64_t>(blockIdx.y) * points + p;
  out[at] = factor * centring.apply<kInverse>(in[at], pixel / nx, pixel % nx);
}

}  // namespace

// Moves 16 bytes per sample in each of the two kernels, and cuFFT at least 32 between them.
LarmorCudaStatus fft2(LarmorCudaContext* context, int32_t inverse, uint64_t count, uint32_t ny, uint32_t nx, const float* device_in, float* device_out) {
  return on_context("fft2", context, [&](Context& c) {
    require(inverse == 0 || inverse == 1, "inverse must be 0 or 1, got ", inverse);
    const uint64_t points = static_cast<uint64_t>(ny) * nx;
    require(points <= kMostPoints, "images must have at most ", kMostPoints, " points, got ", points);
    if (count == 0 || points == 0) return;
    require(device_in != nullptr && device_out != nullptr, "device_in and device_out must not be null");
    const Centring phases = centring(c, ny, nx, false);
    const float factor = unitary_scale(phases, points);
    const auto kernel = inverse != 0 ? centre_kernel<true> : centre_kernel<false>;
    const auto* const in = reinterpret_cast<const float2*>(device_in);
    auto* const out = reinterpret_cast<float2*>(device_out);
    for (uint64_t first = 0; first < count; first += kMostAtOnce) {
      const uint64_t images = std::min(kMostAtOnce, count - first), start = first * points;
      const dim3 grid(blocks_for(points, kBlock), static_cast<uint32_t>(images));
      launch("fft2", kernel, grid, dim3(kBlock), 0, c.stream(), phases, static_cast<uint32_t>(points), nx, 1.0f, in + start, out + start);
      c.plans().transform({ny, nx, images}, inverse != 0, out + start);
      launch("fft2", kernel, grid, dim3(kBlock), 0, c.stream(), phases, static_cast<uint32_t>(points), nx, factor, out + start, out + start);
    }
  });
}

}  // namespace larmor::cuda
