// The table's functions of the encoding operator and its derivative by the maps.
#include "cuda/encoding.h"
#include "cuda/entries.h"

namespace larmor::cuda {
namespace {

/// A sink: kspace = weight times scale times what it gets, less weight times `measured` unless that is null.
struct Samples {
  EncodingView view;
  float scale;
  const float2* measured;
  float2* kspace;

  struct Raw {
    float weight;
    float2 measured;
  };
  __device__ Raw read(const Pixel& pixel, uint32_t coil) const {
    return {view.weight(view.mask, pixel), measured == nullptr ? float2{0, 0} : measured[view.sample(pixel, coil)]};
  }
  __device__ void write(const Raw& raw, const Pixel& pixel, uint32_t coil, float2 value) const {
    kspace[view.sample(pixel, coil)] = raw.weight == 0 ? float2{0, 0} : raw.weight * (scale * value - raw.measured);
  }
};

/// A sink: maps = factor times conj(image) times what it gets.
struct TimesConjugateImage {
  EncodingView view;
  float factor;
  const float* image;
  float2* maps;

  using Raw = float2;
  __device__ float2 read(const Pixel& pixel, uint32_t) const { return view.load(image, pixel, 0); }
  __device__ void write(float2 raw, const Pixel& pixel, uint32_t coil, float2 value) const {
    maps[view.sample(pixel, coil)] = factor * conjugate(raw) * value;
  }
};

/// M F S x, less M times `measured` unless that is null; transformed where the result is to be.
void predict(const Encoder& encoder, const float* image, const float2* measured, float2* kspace) {
  const Chunks chunks(encoder, false, Chunks::kNothing);
  const float scale = unitary_scale(encoder.points());
  chunks.each([&](const Chunk& chunk) {
    const uint64_t start = chunk.slice * encoder.samples();
    const EncodingView view = encoder.view(chunk);
    // Planes of whole slices, or of some coils of one: contiguous either way.
    encoder.transform().forward(encoder.planes(chunk), kspace + start + chunk.coil * encoder.points(), CoilImages{view, image + chunk.slice * encoder.image_floats()},
                                Samples{view, scale, measured == nullptr ? nullptr : measured + start, kspace + start});
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
    const float scale = unitary_scale(encoder.points());
    chunks.each([&](const Chunk& chunk) {
      const EncodingView view = encoder.view(chunk);
      encoder.transform().inverse(encoder.planes(chunk), chunks.planes(), WeightedSamples{view, kspace + chunk.slice * encoder.samples()},
                                  CombinedImage{view, scale, device_image + chunk.slice * encoder.image_floats()});
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
    const float scale = unitary_scale(encoder.points());
    const auto* const kspace = reinterpret_cast<const float2*>(device_kspace);
    auto* const maps = reinterpret_cast<float2*>(device_maps);
    chunks.each([&](const Chunk& chunk) {
      const uint64_t start = chunk.slice * encoder.samples();
      const EncodingView view = encoder.view(chunk);
      encoder.transform().inverse(encoder.planes(chunk), maps + start + chunk.coil * encoder.points(), WeightedSamples{view, kspace + start},
                                  TimesConjugateImage{view, scale, device_image + chunk.slice * encoder.image_floats(), maps + start});
    });
  });
}

}  // namespace larmor::cuda
