// A step of k-space towards measured samples, and its derivative by the length of the step. Both move what they must once.
#include <algorithm>

#include "cuda/encoding.h"
#include "cuda/entries.h"
#include "cuda/reduction.h"

namespace larmor::cuda {
namespace {

constexpr uint32_t kSumBlocks = 256;  // of a slice: partial sums for one block to add

__device__ inline float2 sample_or_zero(const float2* samples, uint64_t at) { return samples == nullptr ? float2{0, 0} : samples[at]; }

// Each thread reads a sample of all arrays before it writes it, so that the result may lie in any of them.
__global__ void sample_step_kernel(EncodingView view, const float2* kspace, const float* step, const float2* measured, const float2* change, float2* result) {
  const uint64_t index = global_index();
  if (index >= static_cast<uint64_t>(view.points)) return;
  const Pixel pixel = view.pixel(index);
  const float weight = *step * view.weight(view.mask, pixel);
  for (uint32_t c = 0; c < view.count; ++c) {
    const int64_t at = view.sample(pixel, c);
    const float2 value = kspace[at];
    result[at] = value - weight * (value - sample_or_zero(measured, at)) + sample_or_zero(change, at);
  }
}

__global__ void sample_step_gradient_kernel(EncodingView view, const float2* dy, const float2* kspace, const float2* measured, double* partials) {
  double sum = 0;
  for (uint64_t index = global_index(); index < static_cast<uint64_t>(view.points); index += global_threads()) {
    const Pixel pixel = view.pixel(index);
    const float weight = view.weight(view.mask, pixel);
    if (weight == 0) continue;
    for (uint32_t c = 0; c < view.count; ++c) {
      const int64_t at = view.sample(pixel, c);
      const float2 difference = kspace[at] - sample_or_zero(measured, at), slope = dy[at];
      sum -= static_cast<double>(weight) * (static_cast<double>(difference.x) * slope.x + static_cast<double>(difference.y) * slope.y);
    }
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) partials[static_cast<uint64_t>(blockIdx.y) * gridDim.x + blockIdx.x] = sum;
}

const float2* complex(const float* samples, uint64_t start) { return samples == nullptr ? nullptr : reinterpret_cast<const float2*>(samples) + start; }

/// Calls body(chunk) for as many whole slices as a launch takes.
template <class Body>
void each_slices(const Encoder& encoder, Body&& body) {
  const LarmorCudaEncoding& sizes = encoder.sizes();
  for (uint32_t slice = 0; slice < sizes.batch; slice += kGridLimit) body(Chunk{slice, std::min(kGridLimit, sizes.batch - slice), 0, sizes.coils});
}

}  // namespace

LarmorCudaStatus sample_step(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_kspace, const float* device_step,
                             const float* device_measured, const float* device_change, float* device_result) {
  return on_context("sample_step", context, [&](Context& c) {
    const Encoder encoder(c, encoding, Encoder::kMask);
    if (encoder.empty()) return;
    require(device_kspace != nullptr && device_step != nullptr && device_result != nullptr, "device_kspace, device_step and device_result must not be null");
    each_slices(encoder, [&](const Chunk& chunk) {
      const uint64_t start = chunk.slice * encoder.samples();
      launch("sample_step", sample_step_kernel, encoder.grid(chunk), dim3(kBlock), 0, c.stream(), encoder.view(chunk), complex(device_kspace, start),
             device_step, complex(device_measured, start), complex(device_change, start), reinterpret_cast<float2*>(device_result) + start);
    });
  });
}

LarmorCudaStatus sample_step_gradient(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_dy, const float* device_kspace,
                                      const float* device_measured, float* device_dstep) {
  return on_context("sample_step_gradient", context, [&](Context& c) {
    const Encoder encoder(c, encoding, Encoder::kMask);
    require(device_dstep != nullptr, "device_dstep must not be null");
    require(encoder.empty() || (device_dy != nullptr && device_kspace != nullptr), "device_dy and device_kspace must not be null");
    const uint32_t blocks = blocks_for(encoder.points(), kBlock, kSumBlocks);
    const uint64_t count = static_cast<uint64_t>(blocks) * encoder.sizes().batch;
    const Scratch<double> partials(c.memory(), count);
    each_slices(encoder, [&](const Chunk& chunk) {
      const uint64_t start = chunk.slice * encoder.samples();
      launch("sample_step_gradient", sample_step_gradient_kernel, encoder.grid(chunk, kSumBlocks), dim3(kBlock), 0, c.stream(), encoder.view(chunk),
             complex(device_dy, start), complex(device_kspace, start), complex(device_measured, start), partials.data() + static_cast<uint64_t>(blocks) * chunk.slice);
    });
    sum_partials(c.stream(), count, 1, partials.data(), device_dstep);
  });
}

}  // namespace larmor::cuda
