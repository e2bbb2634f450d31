// The normalised k-space loss with its gradient: one round trip through the encoding operator, with the residual taken between its halves.
#include <algorithm>

#include "cuda/encoding.h"
#include "cuda/entries.h"
#include "cuda/reduction.h"

namespace larmor::cuda {
namespace {

constexpr uint32_t kSumBlocks = 256;  // of a slice: partial sums for one block to add
constexpr uint32_t kSums = 4;         // residual, reference, and the same of the held-out samples

enum Norm : int32_t { kL1 = 1, kL2 = 2 };

template <Norm kNorm>
__device__ float magnitude(float2 value) {
  return kNorm == kL1 ? fabsf(value.x) + fabsf(value.y) : value.x * value.x + value.y * value.y;
}

__device__ inline float sign(float value) { return static_cast<float>((value > 0) - (value < 0)); }

/// Replaces transformed planes by the slope of the residual's norm, with the phases of both transforms, and adds up the norms: partials [block, kSums].
template <Norm kNorm>
__global__ void loss_residual_kernel(EncodingView view, const float* held_out, float scale, const float2* measured, float2* planes, double* partials) {
  double sums[kSums] = {};
  const uint32_t slice = blockIdx.y;
  for (uint64_t index = global_index(); index < view.points; index += global_threads()) {
    const auto pixel = static_cast<uint32_t>(index);
    const uint32_t y = pixel / view.nx, x = pixel % view.nx;
    const float weight = view.weight(view.mask, slice, pixel), held = view.weight(held_out, slice, pixel);
    const bool sampled = weight != 0 || held != 0;
#pragma unroll 4
    for (uint32_t c = 0; c < view.count; ++c) {
      float2* const at = planes + view.plane(slice, c) + pixel;
      float2 slope{0, 0};
      if (sampled) {
        const float2 reference = measured[view.sample(slice, c) + pixel];
        const float2 difference = scale * view.centring.apply<false>(*at, y, x) - reference;
        const float2 weighted = weight * difference;
        sums[0] += static_cast<double>(magnitude<kNorm>(weighted));
        sums[1] += static_cast<double>(magnitude<kNorm>(weight * reference));
        if (held != 0) {
          sums[2] += static_cast<double>(magnitude<kNorm>(held * difference));
          sums[3] += static_cast<double>(magnitude<kNorm>(held * reference));
        }
        slope = view.centring.apply<true>(weight * (kNorm == kL1 ? float2{sign(weighted.x), sign(weighted.y)} : weighted), y, x);
      }
      *at = slope;
    }
  }
  const uint64_t block = static_cast<uint64_t>(slice) * gridDim.x + blockIdx.x;
  for (uint32_t i = 0; i < kSums; ++i) {
    const double sum = block_sum(sums[i]);
    if (threadIdx.x == 0) partials[block * kSums + i] = sum;
  }
}

/// Losses from the sums, and what the gradient is to be multiplied by. NaN where every measured sample that counts is 0.
template <Norm kNorm>
__global__ void finish_loss_kernel(const double* sums, float* loss, float* held_out_loss, float* factor) {
  const double residual = sums[0], reference = sums[1];
  const auto ratio = [](double above, double below) { return static_cast<float>(kNorm == kL1 ? above / below : sqrt(above / below)); };
  *held_out_loss = sums[3] > 0 ? ratio(sums[2], sums[3]) : 0.0f;
  if (!(reference > 0)) {
    *loss = *factor = NAN;
    return;
  }
  const double divisor = kNorm == kL1 ? reference : sqrt(residual * reference);
  *loss = ratio(residual, reference);
  *factor = divisor > 0 ? static_cast<float>(1 / divisor) : 0.0f;
}

__global__ void scale_by_kernel(uint64_t count, const float* factor, float* values) {
  const uint64_t i = global_index();
  if (i < count) values[i] *= *factor;
}

template <Norm kNorm>
void data_loss_of(const Encoder& encoder, const float* held_out, const float* image, const float2* kspace, float* loss, float* held_out_loss, float* gradient) {
  Context& context = encoder.context();
  const cudaStream_t stream = context.stream();
  const float scale = unitary_scale(encoder.centring(false), encoder.points());
  // One set of partial sums per block of every launch; a launch takes a coil at least.
  const uint32_t blocks = blocks_for(encoder.points(), kBlock, kSumBlocks);
  const Scratch<double> partials(context.memory(), kSums * static_cast<uint64_t>(blocks) * encoder.sizes().batch * encoder.sizes().coils);
  const Scratch<double> sums(context.memory(), kSums);
  const Scratch<float> factor(context.memory(), 1);
  uint64_t filled = 0;
  round_trip(encoder, false, scale, image, gradient, [&](const Chunk& chunk, float2* planes) {
    launch("loss_residual", loss_residual_kernel<kNorm>, encoder.grid(chunk, kSumBlocks), dim3(kBlock), 0, stream, encoder.view(chunk, false),
           held_out + chunk.slice * encoder.mask_weights(), scale, kspace + chunk.slice * encoder.samples(), planes, partials.data() + kSums * filled);
    filled += static_cast<uint64_t>(blocks) * chunk.slices;
  });
  sum_partials(stream, filled, kSums, partials.data(), sums.data());
  launch("finish_loss", finish_loss_kernel<kNorm>, dim3(1), dim3(1), 0, stream, sums.data(), loss, held_out_loss, factor.data());
  const uint64_t floats = encoder.image_floats() * encoder.sizes().batch;
  launch("scale_by", scale_by_kernel, dim3(blocks_for(floats, kBlock)), dim3(kBlock), 0, stream, floats, factor.data(), gradient);
}

}  // namespace

LarmorCudaStatus data_loss(LarmorCudaContext* context, int32_t norm, const LarmorCudaEncoding* encoding, const float* device_held_out, const float* device_image,
                           const float* device_kspace, float* device_loss, float* device_held_out_loss, float* device_gradient) {
  return on_context("data_loss", context, [&](Context& c) {
    require(norm == kL1 || norm == kL2, "norm must be 1 or 2, got ", norm);
    const Encoder encoder(c, encoding, Encoder::kMaps | Encoder::kMask);
    require(!encoder.empty(), "batch must be 1 or more, got 0");
    require(device_held_out != nullptr && device_image != nullptr && device_kspace != nullptr && device_loss != nullptr && device_held_out_loss != nullptr &&
                device_gradient != nullptr,
            "device_held_out, device_image, device_kspace, device_loss, device_held_out_loss and device_gradient must not be null");
    const auto run = norm == kL1 ? data_loss_of<kL1> : data_loss_of<kL2>;
    run(encoder, device_held_out, device_image, reinterpret_cast<const float2*>(device_kspace), device_loss, device_held_out_loss, device_gradient);
  });
}

}  // namespace larmor::cuda
