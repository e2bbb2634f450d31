// The encoding operator on the device, in the pieces that its users are composed of: coil images from an image, weights of samples, and back.
#pragma once
#include <optional>

#include "cuda/centring.h"
#include "cuda/context.h"
#include "cuda/fft.h"

namespace larmor::cuda {

/// What the kernels of a chunk see: `slices` problems (blockIdx.y) from some first one on, whose arrays begin at the pointers given, and their
/// coils [coil, coil + count). Planes are [slice, count, y, x], all else as in LarmorCudaEncoding.
struct EncodingView {
  uint32_t sets, coils, coil, count, ny, nx, points;
  bool lines, planar;
  const float2* maps;
  const float* mask;
  Centring centring;

  __device__ float weight(const float* weights, uint32_t slice, uint32_t pixel) const {
    return lines ? weights[static_cast<uint64_t>(slice) * nx + pixel % nx] : weights[static_cast<uint64_t>(slice) * points + pixel];
  }
  /// Where the samples of a slice's coil `coil + c` are, in planes of all coils and in those of the chunk.
  __device__ uint64_t sample(uint32_t slice, uint32_t c) const { return (static_cast<uint64_t>(slice) * coils + coil + c) * points; }
  __device__ uint64_t plane(uint32_t slice, uint32_t c) const { return (static_cast<uint64_t>(slice) * count + c) * points; }
  __device__ uint64_t map(uint32_t slice, uint32_t set, uint32_t c) const { return ((static_cast<uint64_t>(slice) * sets + set) * coils + coil + c) * points; }

  __device__ float2 load(const float* image, uint64_t component, uint32_t pixel) const {
    const float* const at = image + 2 * component * points;
    return planar ? float2{at[pixel], at[points + pixel]} : reinterpret_cast<const float2*>(at)[pixel];
  }
  __device__ void store(float* image, uint64_t component, uint32_t pixel, float2 value) const {
    float* const at = image + 2 * component * points;
    if (planar) {
      at[pixel] = value.x;
      at[points + pixel] = value.y;
    } else {
      reinterpret_cast<float2*>(at)[pixel] = value;
    }
  }
};

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
  uint64_t points() const { return points_; }
  uint64_t samples() const { return points_ * sizes_.coils; }
  uint64_t image_floats() const { return 2 * points_ * sizes_.sets; }
  uint64_t mask_weights() const { return sizes_.lines != 0 ? sizes_.nx : points_; }
  bool empty() const { return sizes_.batch == 0; }
  /// The centring of whole images, or of their rows.
  const Centring& centring(bool rows) const { return rows ? row_centring_ : image_centring_; }

  EncodingView view(const Chunk& chunk, bool rows) const;
  /// Blocks of kBlock threads over the pixels of every slice.
  dim3 grid(const Chunk& chunk, uint32_t most = 0x7fffffff) const { return dim3(blocks_for(points_, kBlock, most), chunk.slices); }

  // Arrays of these are those of the chunk's first slice.

  /// planes = phases times the sum over sets of maps times image; the centred forward transform of them is still to be made.
  void expand(const Chunk& chunk, bool rows, const float* image, float2* planes) const;
  /// Plain transforms of the planes in place.
  void transform(const Chunk& chunk, bool rows, bool inverse, float2* planes) const;
  /// planes = phases times weights times kspace, ready for the inverse transform; samples whose weight is 0 are not read.
  void weigh(const Chunk& chunk, const float2* kspace, float2* planes) const;
  /// image = factor times phases times the sum of conjugate maps times planes. Of a slice's chunks the first starts the sum, which the last
  /// finishes: the order of the sum is that of the coils, however they are divided.
  void reduce(const Chunk& chunk, bool rows, float factor, const float2* planes, float* image) const;

 private:
  Context& context_;
  LarmorCudaEncoding sizes_;
  uint64_t points_;
  Centring row_centring_{}, image_centring_{};
};

/// How an encoding's planes are divided into chunks: by slices, or where one has too many coils for the memory there is, by coils. Has made sure
/// of memory for cuFFT and holds the scratch that was asked for.
class Chunks {
 public:
  enum Keeps {
    kNothing = 0,
    kPlanes = 1,  // those of a chunk
    kImage = 2    // that of a slice, where several chunks read it and the first already replaces it
  };
  Chunks(const Encoder& encoder, bool rows, int keeps);

  float2* planes() const { return planes_->data(); }
  /// A slice's image from before its first chunk, or null where none is kept: then a chunk takes whole slices.
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

/// S^H F^H step(F S x): `step` changes the transformed planes of a chunk, result may be image. With `rows` only rows are transformed.
/// Both transforms are unscaled and phases between them are the step's; `factor` scales the result.
template <class Step>
void round_trip(const Encoder& encoder, bool rows, float factor, const float* image, float* result, Step&& step) {
  const Chunks chunks(encoder, rows, image == result ? Chunks::kPlanes | Chunks::kImage : Chunks::kPlanes);
  const uint64_t floats = encoder.image_floats();
  chunks.each([&](const Chunk& chunk) {
    const float* from = image + chunk.slice * floats;
    if (chunks.image() != nullptr) {
      if (chunk.coil == 0)
        check(cudaMemcpyAsync(chunks.image(), from, floats * sizeof(float), cudaMemcpyDeviceToDevice, encoder.context().stream()), "cudaMemcpyAsync");
      from = chunks.image();
    }
    encoder.expand(chunk, rows, from, chunks.planes());
    encoder.transform(chunk, rows, false, chunks.planes());
    step(chunk, chunks.planes());
    encoder.transform(chunk, rows, true, chunks.planes());
    encoder.reduce(chunk, rows, factor, chunks.planes(), result + chunk.slice * floats);
  });
}

/// y = A^H A x for a mask of lines, in one kernel without scratch; y may be x. False, with nothing done, where rows are too long for it or have a
/// prime factor above 31.
bool lines_normal(const Encoder& encoder, const float* image, float* result);

/// y = A^H A x; y may be x.
void normal(const Encoder& encoder, const float* image, float* result);

}  // namespace larmor::cuda
