// An encoding's sizes, its division into chunks, and A^H A.
#include "cuda/encoding.h"

#include <algorithm>

namespace larmor::cuda {
namespace {

// Planes in flight: enough to fill a large device, few enough to stay largely in its second-level cache. Chosen, not measured.
constexpr uint64_t kChunkBytes = uint64_t{64} << 20;

/// The middle of A^H A.
struct SquaredWeights {
  EncodingView view;

  struct Local {};
  using Raw = float;
  __device__ float read(const Pixel& pixel, uint32_t) const { return view.weight(view.mask, pixel); }
  __device__ float2 value(Local&, float weight, float2 sample) const { return weight == 0 ? float2{0, 0} : weight * weight * sample; }
  __device__ void finish(const Local&) const {}
};

}  // namespace

template void run_rows<Way::kForward>(Context&, const PassSizes&, const LinePlan&, const CoilImages&, const NoMiddle&, const ToPlanes&);
template void run_rows<Way::kInverse>(Context&, const PassSizes&, const LinePlan&, const FromPlanes&, const NoMiddle&, const CombinedImage&);

Encoder::Encoder(Context& context, const LarmorCudaEncoding* encoding, int needs) : context_(context) {
  require(encoding != nullptr, "encoding must not be null");
  sizes_ = *encoding;
  points_ = static_cast<uint64_t>(sizes_.ny) * sizes_.nx;
  require(sizes_.sets >= 1 && sizes_.coils >= 1 && sizes_.ny >= 1 && sizes_.nx >= 1, "sets, coils, ny and nx must be 1 or more, got ", sizes_.sets, ", ",
          sizes_.coils, ", ", sizes_.ny, " and ", sizes_.nx);
  require(points_ <= kMostPoints, "images must have at most ", kMostPoints, " points, got ", points_);
  require(sizes_.batch == 0 || (needs & kMaps) == 0 || sizes_.device_maps != nullptr, "device_maps must not be null");
  require(sizes_.batch == 0 || (needs & kMask) == 0 || sizes_.device_mask != nullptr, "device_mask must not be null");
  transform_.emplace(context, sizes_.ny, sizes_.nx);
}

EncodingView Encoder::view(const Chunk& chunk) const {
  const auto* const maps = reinterpret_cast<const float2*>(sizes_.device_maps);
  return {.sets = sizes_.sets,
          .coils = sizes_.coils,
          .coil = chunk.coil,
          .count = chunk.coils,
          .nx = static_cast<int32_t>(sizes_.nx),
          .points = static_cast<int32_t>(points_),
          .lines = sizes_.lines != 0,
          .planar = sizes_.planar != 0,
          .maps = maps == nullptr ? nullptr : maps + chunk.slice * (sizes_.sets * samples()),
          .mask = sizes_.device_mask == nullptr ? nullptr : sizes_.device_mask + chunk.slice * mask_weights()};
}

Chunks::Chunks(const Encoder& encoder, bool rows, int keeps) : encoder_(encoder) {
  const LarmorCudaEncoding& sizes = encoder.sizes();
  if (encoder.empty()) return;
  const PlaneTransform& transform = encoder.transform();
  if (rows && transform.own_rows()) {
    const bool again = (keeps & kImage) != 0 && !transform.at_once(encoder.planes({0, 1, 0, sizes.coils}));
    coils_ = sizes.coils;
    slices_ = again ? 1 : std::min(sizes.batch, kGridLimit);
    if (again) image_.emplace(encoder.context().memory(), encoder.image_floats());
    return;
  }
  for (uint64_t most = std::max<uint64_t>(1, kChunkBytes / (encoder.points() * sizeof(float2)));; most /= 2) {
    coils_ = static_cast<uint32_t>(std::min<uint64_t>({most, sizes.coils, kGridLimit}));
    slices_ = static_cast<uint32_t>(std::clamp<uint64_t>(most / sizes.coils, 1, std::min(sizes.batch, kGridLimit)));
    most = static_cast<uint64_t>(coils_) * slices_;
    try {
      reserve(rows, keeps);
      return;
    } catch (const Failure& failure) {
      if (failure.status() != LARMOR_CUDA_MEMORY || most == 1) throw;
      planes_.reset();
      image_.reset();
      encoder.context().memory().trim();  // or the next attempt would take blocks of this one, which are too large for it
    }
  }
}

void Chunks::reserve(bool rows, int keeps) {
  Context& context = encoder_.context();
  const PassSizes planes = encoder_.planes({0, slices_, 0, coils_});
  if ((keeps & kPlanes) != 0) planes_.emplace(context.memory(), static_cast<uint64_t>(slices_) * coils_ * encoder_.points());
  if ((keeps & kImage) != 0 && coils_ < encoder_.sizes().coils) image_.emplace(context.memory(), encoder_.image_floats());
  encoder_.transform().prepare(planes, rows);
}

// Per coil sample, 8 bytes each, move: with a mask of lines one map, which is read again from a cache; with one of points 2 maps, and planes 6 times. By
// cuFFT 14, of lines 10.
void normal(const Encoder& encoder, const float* image, float* result) {
  const bool rows = encoder.sizes().lines != 0;
  const auto scale = static_cast<float>(1 / static_cast<double>(rows ? encoder.sizes().nx : encoder.points()));
  const auto middle = [&](const Chunk& chunk) { return SquaredWeights{encoder.view(chunk)}; };
  if (rows)
    round_trip<true>(encoder, scale, image, result, middle);
  else
    round_trip<false>(encoder, scale, image, result, middle);
}

}  // namespace larmor::cuda
