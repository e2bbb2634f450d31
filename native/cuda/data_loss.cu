// The normalised k-space loss with its gradient: one round trip through the encoding operator, with the residual taken between its halves.
#include <algorithm>

#include "cuda/encoding.h"
#include "cuda/entries.h"
#include "cuda/reduction.h"

namespace larmor::cuda {
namespace {

constexpr uint32_t kSums = 4;  // residual, reference, and the same of the held-out samples

enum Norm : int32_t { kL1 = 1, kL2 = 2 };

__device__ inline float magnitude(Norm norm, float2 value) {
  return norm == kL1 ? fabsf(value.x) + fabsf(value.y) : value.x * value.x + value.y * value.y;
}

__device__ inline float sign(float value) { return static_cast<float>((value > 0) - (value < 0)); }

/// A middle: the slope of the residual's norm; adds up the norms: partials [block, kSums].
struct ResidualSlope {
  Norm norm;
  EncodingView view;
  const float* held_out;
  float scale;
  const float2* measured;
  double* partials;

  struct Local {
    double sums[kSums];
  };
  struct Raw {
    float weight, held;
    float2 reference;
  };
  __device__ Raw read(const Pixel& pixel, uint32_t coil) const {
    return {view.weight(view.mask, pixel), view.weight(held_out, pixel), measured[view.sample(pixel, coil)]};
  }
  __device__ float2 value(Local& local, const Raw& raw, float2 sample) const {
    const auto [weight, held, reference] = raw;
    if (weight == 0 && held == 0) return {0, 0};
    const float2 difference = scale * sample - reference;
    const float2 weighted = weight * difference;
    local.sums[0] += static_cast<double>(magnitude(norm, weighted));
    local.sums[1] += static_cast<double>(magnitude(norm, weight * reference));
    if (held != 0) {
      local.sums[2] += static_cast<double>(magnitude(norm, held * difference));
      local.sums[3] += static_cast<double>(magnitude(norm, held * reference));
    }
    return weight * (norm == kL1 ? float2{sign(weighted.x), sign(weighted.y)} : weighted);
  }
  __device__ void finish(const Local& local) const {
    const uint64_t block = (static_cast<uint64_t>(blockIdx.z) * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    for (uint32_t i = 0; i < kSums; ++i) {
      const double sum = block_sum(local.sums[i]);
      if (threadIdx.x == 0) partials[block * kSums + i] = sum;
    }
  }
};

/// Losses from the sums, and what the gradient is to be multiplied by. NaN where every measured sample that counts is 0.
__global__ void finish_loss_kernel(Norm norm, const double* sums, float* loss, float* held_out_loss, float* factor) {
  const double residual = sums[0], reference = sums[1];
  const auto ratio = [norm](double above, double below) { return static_cast<float>(norm == kL1 ? above / below : sqrt(above / below)); };
  *held_out_loss = sums[3] > 0 ? ratio(sums[2], sums[3]) : 0.0f;
  if (!(reference > 0)) {
    *loss = *factor = NAN;
    return;
  }
  const double divisor = norm == kL1 ? reference : sqrt(residual * reference);
  *loss = ratio(residual, reference);
  *factor = divisor > 0 ? static_cast<float>(1 / divisor) : 0.0f;
}

__global__ void scale_by_kernel(uint64_t count, const float* factor, float* values) {
  const uint64_t i = global_index();
  if (i < count) values[i] *= *factor;
}

void data_loss_of(const Encoder& encoder, Norm norm, const float* held_out, const float* image, const float2* kspace, float* loss, float* held_out_loss, float* gradient) {
  Context& context = encoder.context();
  const cudaStream_t stream = context.stream();
  const float scale = unitary_scale(encoder.points());
  // One set of partial sums per block of every launch; a launch takes a coil at least.
  const uint64_t most = encoder.transform().middle_blocks(encoder.planes({0, 1, 0, 1})) * encoder.sizes().batch * encoder.sizes().coils;
  const Scratch<double> partials(context.memory(), kSums * most);
  const Scratch<double> sums(context.memory(), kSums);
  const Scratch<float> factor(context.memory(), 1);
  uint64_t filled = 0;
  round_trip<false>(encoder, scale, image, gradient, [&](const Chunk& chunk) {
    const ResidualSlope middle{norm, encoder.view(chunk), held_out + chunk.slice * encoder.mask_weights(), scale, kspace + chunk.slice * encoder.samples(),
                               partials.data() + kSums * filled};
    filled += encoder.transform().middle_blocks(encoder.planes(chunk));
    return middle;
  });
  sum_partials(stream, filled, kSums, partials.data(), sums.data());
  launch("finish_loss", finish_loss_kernel, dim3(1), dim3(1), 0, stream, norm, sums.data(), loss, held_out_loss, factor.data());
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
    data_loss_of(encoder, static_cast<Norm>(norm), device_held_out, device_image, reinterpret_cast<const float2*>(device_kspace), device_loss, device_held_out_loss, device_gradient);
  });
}

}  // namespace larmor::cuda
