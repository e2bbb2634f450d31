// The table's functions of the encoding operator and its derivative by the maps.
#include "cuda/encoding.h"
#include "cuda/entries.h"

namespace larmor::cuda {
namespace {

/// kspace = weight times scale times phases times kspace, and where `measured` is given, less weight times it. In place; both as [slice, coil, y, x].
template <bool kResidual>
__global__ void finish_samples_kernel(EncodingView view, float scale, const float2* measured, float2* kspace) {
  const uint64_t index = global_index();
  if (index >= view.points) return;
  const auto pixel = static_cast<uint32_t>(index);
  const uint32_t slice = blockIdx.y, y = pixel / view.nx, x = pixel % view.nx;
  const float weight = view.weight(view.mask, slice, pixel);
#pragma unroll 4
  for (uint32_t c = 0; c < view.count; ++c) {
    const uint64_t at = view.sample(slice, c) + pixel;
    float2 value{0, 0};
    if (weight != 0) {
      value = scale * view.centring.apply<false>(kspace[at], y, x);
      if (kResidual) value = value - measured[at];
      value = weight * value;
    }
    kspace[at] = value;
  }
}

/// planes = factor times conj(image) times phases times planes.
__global__ void times_conjugate_image_kernel(EncodingView view, float factor, const float* image, float2* planes) {
  const uint64_t index = global_index();
  if (index >= view.points) return;
  const auto pixel = static_cast<uint32_t>(index);
  const uint32_t slice = blockIdx.y;
  const float2 value = factor * view.centring.apply<true>(conjugate(view.load(image, slice, pixel)), pixel / view.nx, pixel % view.nx);
#pragma unroll 4
  for (uint32_t c = 0; c < view.count; ++c) {
    float2* const at = planes + view.sample(slice, c) + pixel;
    *at = value * *at;
  }
}

/// M F S x, less M times `measured` unless that is null; transformed where the result is to be.
void predict(const Encoder& encoder, const float* image, const float2* measured, float2* kspace) {
  const Chunks chunks(encoder, false, Chunks::kNothing);
  const float scale = unitary_scale(encoder.centring(false), encoder.points());
  const auto finish = measured == nullptr ? finish_samples_kernel<false> : finish_samples_kernel<true>;
  chunks.each([&](const Chunk& chunk) {
    const uint64_t start = chunk.slice * encoder.samples();
    // Of whole slices, or of some coils of one: contiguous either way.
    float2* const planes = kspace + start + chunk.coil * encoder.points();
    encoder.expand(chunk, false, image + chunk.slice * encoder.image_floats(), planes);
    encoder.transform(chunk, false, false, planes);
    launch("finish_samples", finish, encoder.grid(chunk), dim3(kBlock), 0, encoder.context().stream(), encoder.view(chunk, false), scale,
           measured == nullptr ? nullptr : measured + start, kspace + start);
  });
}

}  // namespace

LarmorCudaStatus encode(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_image, float* device_kspace) {
  return on_context("encode", context, [&](Context& c) {
    const Encoder encoder(c, encoding, Encoder::kMaps | Encoder::kMask);
    if (encoder.empty()) return;
    require(device_image != nullptr && device_kspace != nullptr, "device_image and device_kspace must not be null");
    predict(encoder, device_image, nullptr, reinterpret_cast<float2*>(device_kspace));
  });
}

LarmorCudaStatus residual(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_image, const float* device_kspace,
                          float* device_residual) {
  return on_context("residual", context, [&](Context& c) {
    const Encoder encoder(c, encoding, Encoder::kMaps | Encoder::kMask);
    if (encoder.empty()) return;
    require(device_image != nullptr && device_kspace != nullptr && device_residual != nullptr, "device_image, device_kspace and device_residual must not be null");
    require(device_kspace != device_residual, "device_residual must not be device_kspace");
    predict(encoder, device_image, reinterpret_cast<const float2*>(device_kspace), reinterpret_cast<float2*>(device_residual));
  });
}

LarmorCudaStatus encode_adjoint(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_kspace, float* device_image) {
  return on_context("encode_adjoint", context, [&](Context& c) {
    const Encoder encoder(c, encoding, Encoder::kMaps | Encoder::kMask);
    if (encoder.empty()) return;
    require(device_kspace != nullptr && device_image != nullptr, "device_kspace and device_image must not be null");
    const Chunks chunks(encoder, false, Chunks::kPlanes);
    const auto* const kspace = reinterpret_cast<const float2*>(device_kspace);
    const float scale = unitary_scale(encoder.centring(false), encoder.points());
    chunks.each([&](const Chunk& chunk) {
      encoder.weigh(chunk, kspace + chunk.slice * encoder.samples(), chunks.planes());
      encoder.transform(chunk, false, true, chunks.planes());
      encoder.reduce(chunk, false, scale, chunks.planes(), device_image + chunk.slice * encoder.image_floats());
    });
  });
}

LarmorCudaStatus encode_normal(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_image, float* device_result) {
  return on_context("encode_normal", context, [&](Context& c) {
    const Encoder encoder(c, encoding, Encoder::kMaps | Encoder::kMask);
    if (encoder.empty()) return;
    require(device_image != nullptr && device_result != nullptr, "device_image and device_result must not be null");
    normal(encoder, device_image, device_result);
  });
}

LarmorCudaStatus encode_maps_gradient(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_image, const float* device_kspace,
                                      float* device_maps) {
  return on_context("encode_maps_gradient", context, [&](Context& c) {
    const Encoder encoder(c, encoding, Encoder::kMask);
    require(encoder.sizes().sets == 1, "sets must be 1, got ", encoder.sizes().sets);
    if (encoder.empty()) return;
    require(device_image != nullptr && device_kspace != nullptr && device_maps != nullptr, "device_image, device_kspace and device_maps must not be null");
    const Chunks chunks(encoder, false, Chunks::kNothing);
    const float scale = unitary_scale(encoder.centring(false), encoder.points());
    const auto* const kspace = reinterpret_cast<const float2*>(device_kspace);
    auto* const maps = reinterpret_cast<float2*>(device_maps);
    chunks.each([&](const Chunk& chunk) {
      const uint64_t start = chunk.slice * encoder.samples();
      float2* const planes = maps + start + chunk.coil * encoder.points();
      encoder.weigh(chunk, kspace + start, planes);
      encoder.transform(chunk, false, true, planes);
      launch("times_conjugate_image", times_conjugate_image_kernel, encoder.grid(chunk), dim3(kBlock), 0, c.stream(), encoder.view(chunk, false), scale,
             device_image + chunk.slice * encoder.image_floats(), maps + start);
    });
  });
}

}  // namespace larmor::cuda
