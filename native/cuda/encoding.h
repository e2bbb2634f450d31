// The encoding operator on the device: what its users have in common.
#pragma once
#include <optional>

#include "cuda/plane_transform.h"

namespace larmor::cuda {

/// What the kernels of a chunk see: `slices` problems from some first one on, whose arrays begin at the pointers given, and their coils
/// [coil, coil + count). Planes are [slice, count, y, x], all else as in LarmorCudaEncoding.
struct EncodingView {
  uint32_t sets, coils, coil, count;
  int32_t nx, points;
  bool lines, planar;
  const float2* maps;
  const float* mask;

  /// Of kernels whose blockIdx.y counts slices.
  __device__ Pixel pixel(uint64_t index) const {
    const auto i = static_cast<int32_t>(index);
    return {static_cast<int32_t>(blockIdx.y), i / nx, i % nx};
  }
  __device__ int32_t index(const Pixel& pixel) const { return pixel.y * nx + pixel.x; }
  __device__ float weight(const float* weights, const Pixel& pixel) const {
    return lines ? weights[static_cast<int64_t>(pixel.slice) * nx + pixel.x] : weights[static_cast<int64_t>(pixel.slice) * points + index(pixel)];
  }
  /// The sample of coil `coil + c` in arrays of all coils.
  __device__ int64_t sample(const Pixel& pixel, uint32_t c) const { return (static_cast<int64_t>(pixel.slice) * coils + coil + c) * points + index(pixel); }
  __device__ float2 map(const Pixel& pixel, uint32_t set, uint32_t c) const {
    return maps[((static_cast<int64_t>(pixel.slice) * sets + set) * coils + coil + c) * points + index(pixel)];
  }

  __device__ float2 load(const float* image, const Pixel& pixel, uint32_t set) const {
    const float* const at = image + 2 * (static_cast<int64_t>(pixel.slice) * sets + set) * points;
    return planar ? float2{at[index(pixel)], at[points + index(pixel)]} : reinterpret_cast<const float2*>(at)[index(pixel)];
  }
  __device__ void store(float* image, const Pixel& pixel, uint32_t set, float2 value) const {
    float* const at = image + 2 * (static_cast<int64_t>(pixel.slice) * sets + set) * points;
    if (planar) {
      at[index(pixel)] = value.x;
      at[points + index(pixel)] = value.y;
    } else {
      reinterpret_cast<float2*>(at)[index(pixel)] = value;
    }
  }
};

/// A source: the sum over sets of maps times image.
struct CoilImages {
  EncodingView view;
  const float* image;

  struct Raw {
    float2 map, value;
  };
  __device__ Raw read(const Pixel& pixel, uint32_t coil) const { return {view.map(pixel, 0, coil), view.load(image, pixel, 0)}; }
  __device__ float2 value(const Raw& raw, const Pixel& pixel, uint32_t coil) const {
    float2 sum = raw.map * raw.value;
#pragma unroll 1
    for (uint32_t set = 1; set < view.sets; ++set) sum = sum + view.map(pixel, set, coil) * view.load(image, pixel, set);
    return sum;
  }
};

/// A source: weights times kspace; where the weight is 0, 0 whatever was measured.
struct WeightedSamples {
  EncodingView view;
  const float2* kspace;

  struct Raw {
    float weight;
    float2 sample;
  };
  __device__ Raw read(const Pixel& pixel, uint32_t coil) const { return {view.weight(view.mask, pixel), kspace[view.sample(pixel, coil)]}; }
  __device__ float2 value(const Raw& raw, const Pixel&, uint32_t) const { return raw.weight == 0 ? float2{0, 0} : raw.weight * raw.sample; }
};

/// A sink: image = factor times the sum of conjugate maps times what it gets. The first of a slice's coils start the sum, which the last
/// finish: its order is that of the coils, however they are divided.
struct CombinedImage {
  EncodingView view;
  float factor;
  float* image;

  template <class Get>
  __device__ void combine(const Pixel& pixel, uint32_t first, uint32_t count, const Get& get) const {
    for (uint32_t set = 0; set < view.sets; ++set) {
      float2 sum = view.coil + first == 0 ? float2{0, 0} : view.load(image, pixel, set);
      in_batches<8>(0, 1, static_cast<int32_t>(count), [&](int32_t begin, auto together) {
        const uint32_t coil = first + static_cast<uint32_t>(begin);
        float2 maps[together.value];
#pragma unroll
        for (uint32_t i = 0; i < together.value; ++i) maps[i] = view.map(pixel, set, coil + i);
#pragma unroll
        for (uint32_t i = 0; i < together.value; ++i) sum = sum + conjugate(maps[i]) * get(coil + i);
      });
      if (view.coil + first + count == view.coils) sum = factor * sum;
      view.store(image, pixel, set, sum);
    }
  }
};

// Compiled once, in encoding.cu.
extern template void run_rows<Way::kForward>(Context&, const PassSizes&, const LinePlan&, const CoilImages&, const NoMiddle&, const ToPlanes&);
extern template void run_rows<Way::kInverse>(Context&, const PassSizes&, const LinePlan&, const FromPlanes&, const NoMiddle&, const CombinedImage&);

/// Slices [slice, slice + slices) and of each the coils [coil, coil + coils).
struct Chunk {
  uint32_t slice, slices, coil, coils;
};

/// An encoding with its sizes checked.
class Encoder {
 public:
  enum Needs { kMaps = 1, kMask = 2 };

  /// Throws LARMOR_CUDA_ARGUMENT for sizes that are not allowed, or where a pointer it needs is null.
  Encoder(Context& context, const LarmorCudaEncoding* encoding, int needs);

  Context& context() const { return context_; }
  const LarmorCudaEncoding& sizes() const { return sizes_; }
  const PlaneTransform& transform() const { return *transform_; }
  uint64_t points() const { return points_; }
  uint64_t samples() const { return points_ * sizes_.coils; }
  uint64_t image_floats() const { return 2 * points_ * sizes_.sets; }
  uint64_t mask_weights() const { return sizes_.lines != 0 ? sizes_.nx : points_; }
  bool empty() const { return sizes_.batch == 0; }

  EncodingView view(const Chunk& chunk) const;
  PassSizes planes(const Chunk& chunk) const { return {chunk.slices, chunk.coils, sizes_.ny, sizes_.nx}; }
  /// Blocks of kBlock threads over the pixels of every slice.
  dim3 grid(const Chunk& chunk, uint32_t most = 0x7fffffff) const { return dim3(blocks_for(points_, kBlock, most), chunk.slices); }

 private:
  Context& context_;
  LarmorCudaEncoding sizes_;
  uint64_t points_;
  std::optional<PlaneTransform> transform_;
};

/// How an encoding's planes are divided into chunks: by slices, or where one has too many coils for the memory there is, by coils. Has made sure
/// of memory for the transforms and holds the scratch that was asked for.
class Chunks {
 public:
  enum Keeps {
    kNothing = 0,
    kPlanes = 1,  // those of a chunk, if the transforms need any
    kImage = 2    // that of a slice, where it is read again after the first coils have replaced it
  };
  Chunks(const Encoder& encoder, bool rows, int keeps);

  float2* planes() const { return planes_ ? planes_->data() : nullptr; }
  /// A slice's image from before its first chunk, or null where none is kept.
  float* image() const { return image_ ? image_->data() : nullptr; }
  /// Calls body(chunk) for all of them in order.
  template <class Body>
  void each(Body&& body) const {
    const LarmorCudaEncoding& sizes = encoder_.sizes();
    for (uint32_t slice = 0; slice < sizes.batch; slice += slices_)
      for (uint32_t coil = 0; coil < sizes.coils; coil += coils_)
        body(Chunk{slice, std::min(slices_, sizes.batch - slice), coil, std::min(coils_, sizes.coils - coil)});
  }

 private:
  void reserve(bool rows, int keeps);

  const Encoder& encoder_;
  uint32_t slices_ = 1, coils_ = 1;
  std::optional<Scratch<float2>> planes_;
  std::optional<Scratch<float>> image_;
};

/// S^H F^H m(F S x), where make_middle(chunk) gives the middle m of a chunk; result may be image. With kRows only rows are transformed. Both transforms
/// are unscaled; `factor` scales the result.
template <bool kRows, class MakeMiddle>
void round_trip(const Encoder& encoder, float factor, const float* image, float* result, MakeMiddle&& make_middle) {
  const Chunks chunks(encoder, kRows, image == result ? Chunks::kPlanes | Chunks::kImage : Chunks::kPlanes);
  const uint64_t floats = encoder.image_floats();
  chunks.each([&](const Chunk& chunk) {
    const float* from = image + chunk.slice * floats;
    if (chunks.image() != nullptr) {
      if (chunk.coil == 0)
        check(cudaMemcpyAsync(chunks.image(), from, floats * sizeof(float), cudaMemcpyDeviceToDevice, encoder.context().stream()), "cudaMemcpyAsync");
      from = chunks.image();
    }
    const EncodingView view = encoder.view(chunk);
    encoder.transform().both<kRows>(encoder.planes(chunk), chunks.planes(), CoilImages{view, from}, make_middle(chunk),
                                    CombinedImage{view, factor, result + chunk.slice * floats});
  });
}

/// y = A^H A x; y may be x.
void normal(const Encoder& encoder, const float* image, float* result);

}  // namespace larmor::cuda
