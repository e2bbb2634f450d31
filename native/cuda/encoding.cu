// The pieces of the encoding operator. A thread has one pixel and takes its coils in order, so that what all coils share is read once.
#include "cuda/encoding.h"

#include <algorithm>

namespace larmor::cuda {
namespace {

// Planes in flight: enough to fill a large device, few enough to stay largely in its second-level cache. Chosen, not measured.
constexpr uint64_t kChunkBytes = uint64_t{64} << 20;

__global__ void expand_kernel(EncodingView view, const float* image, float2* planes) {
  const uint64_t index = global_index();
  if (index >= view.points) return;
  const auto pixel = static_cast<uint32_t>(index);
  const uint32_t slice = blockIdx.y, y = pixel / view.nx, x = pixel % view.nx;
  const uint64_t component = static_cast<uint64_t>(slice) * view.sets;
  const float2 first = view.centring.apply<false>(view.load(image, component, pixel), y, x);
#pragma unroll 4
  for (uint32_t c = 0; c < view.count; ++c) {
    float2 sum = view.maps[view.map(slice, 0, c) + pixel] * first;
    for (uint32_t set = 1; set < view.sets; ++set)
      sum = sum + view.maps[view.map(slice, set, c) + pixel] * view.centring.apply<false>(view.load(image, component + set, pixel), y, x);
    planes[view.plane(slice, c) + pixel] = sum;
  }
}

__global__ void reduce_kernel(EncodingView view, float factor, const float2* planes, float* image) {
  const uint64_t index = global_index();
  if (index >= view.points) return;
  const auto pixel = static_cast<uint32_t>(index);
  const uint32_t slice = blockIdx.y;
  for (uint32_t set = 0; set < view.sets; ++set) {
    const uint64_t component = static_cast<uint64_t>(slice) * view.sets + set;
    float2 sum = view.coil == 0 ? float2{0, 0} : view.load(image, component, pixel);
#pragma unroll 4
    for (uint32_t c = 0; c < view.count; ++c) sum = sum + conjugate(view.maps[view.map(slice, set, c) + pixel]) * planes[view.plane(slice, c) + pixel];
    if (view.coil + view.count == view.coils) sum = factor * view.centring.apply<true>(sum, pixel / view.nx, pixel % view.nx);
    view.store(image, component, pixel, sum);
  }
}

__global__ void weigh_kernel(EncodingView view, const float2* kspace, float2* planes) {
  const uint64_t index = global_index();
  if (index >= view.points) return;
  const auto pixel = static_cast<uint32_t>(index);
  const uint32_t slice = blockIdx.y, y = pixel / view.nx, x = pixel % view.nx;
  const float weight = view.weight(view.mask, slice, pixel);
#pragma unroll 4
  for (uint32_t c = 0; c < view.count; ++c)
    planes[view.plane(slice, c) + pixel] =
        weight == 0 ? float2{0, 0} : weight * view.centring.apply<true>(kspace[view.sample(slice, c) + pixel], y, x);
}

/// Between the transforms of the normal operator, where the phases cancel.
__global__ void weigh_twice_kernel(EncodingView view, float2* planes) {
  const uint64_t index = global_index();
  if (index >= view.points) return;
  const auto pixel = static_cast<uint32_t>(index);
  const float weight = view.weight(view.mask, blockIdx.y, pixel);
#pragma unroll 4
  for (uint32_t c = 0; c < view.count; ++c) {
    float2* const at = planes + view.plane(blockIdx.y, c) + pixel;
    *at = weight == 0 ? float2{0, 0} : weight * weight * *at;
  }
}

}  // namespace

Encoder::Encoder(Context& context, const LarmorCudaEncoding* encoding, int needs) : context_(context) {
  require(encoding != nullptr, "encoding must not be null");
  sizes_ = *encoding;
  points_ = static_cast<uint64_t>(sizes_.ny) * sizes_.nx;
  require(sizes_.sets >= 1 && sizes_.coils >= 1 && sizes_.ny >= 1 && sizes_.nx >= 1, "sets, coils, ny and nx must be 1 or more, got ", sizes_.sets, ", ",
          sizes_.coils, ", ", sizes_.ny, " and ", sizes_.nx);
  require(points_ <= kMostPoints, "images must have at most ", kMostPoints, " points, got ", points_);
  require(sizes_.batch == 0 || (needs & kMaps) == 0 || sizes_.device_maps != nullptr, "device_maps must not be null");
  require(sizes_.batch == 0 || (needs & kMask) == 0 || sizes_.device_mask != nullptr, "device_mask must not be null");
  row_centring_ = larmor::cuda::centring(context, sizes_.ny, sizes_.nx, true);
  image_centring_ = larmor::cuda::centring(context, sizes_.ny, sizes_.nx, false);
}

EncodingView Encoder::view(const Chunk& chunk, bool rows) const {
  const auto* const maps = reinterpret_cast<const float2*>(sizes_.device_maps);
  return {.sets = sizes_.sets,
          .coils = sizes_.coils,
          .coil = chunk.coil,
          .count = chunk.coils,
          .ny = sizes_.ny,
          .nx = sizes_.nx,
          .points = static_cast<uint32_t>(points_),
          .lines = sizes_.lines != 0,
          .planar = sizes_.planar != 0,
          .maps = maps == nullptr ? nullptr : maps + chunk.slice * (sizes_.sets * samples()),
          .mask = sizes_.device_mask == nullptr ? nullptr : sizes_.device_mask + chunk.slice * mask_weights(),
          .centring = centring(rows)};
}

void Encoder::expand(const Chunk& chunk, bool rows, const float* image, float2* planes) const {
  launch("expand", expand_kernel, grid(chunk), dim3(kBlock), 0, context_.stream(), view(chunk, rows), image, planes);
}

void Encoder::transform(const Chunk& chunk, bool rows, bool inverse, float2* planes) const {
  const uint64_t count = static_cast<uint64_t>(chunk.slices) * chunk.coils;
  if (rows)
    context_.plans().transform({0, sizes_.nx, count * sizes_.ny}, inverse, planes);
  else
    context_.plans().transform({sizes_.ny, sizes_.nx, count}, inverse, planes);
}

void Encoder::weigh(const Chunk& chunk, const float2* kspace, float2* planes) const {
  launch("weigh", weigh_kernel, grid(chunk), dim3(kBlock), 0, context_.stream(), view(chunk, false), kspace, planes);
}

void Encoder::reduce(const Chunk& chunk, bool rows, float factor, const float2* planes, float* image) const {
  launch("reduce", reduce_kernel, grid(chunk), dim3(kBlock), 0, context_.stream(), view(chunk, rows), factor, planes, image);
}

Chunks::Chunks(const Encoder& encoder, bool rows, int keeps) : encoder_(encoder) {
  const LarmorCudaEncoding& sizes = encoder.sizes();
  if (encoder.empty()) return;
  for (uint64_t most = std::max<uint64_t>(1, kChunkBytes / (encoder.points() * sizeof(float2)));; most /= 2) {
    coils_ = static_cast<uint32_t>(std::min<uint64_t>(most, sizes.coils));
    slices_ = static_cast<uint32_t>(std::clamp<uint64_t>(most / sizes.coils, 1, std::min<uint64_t>(sizes.batch, 65535)));
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
  const LarmorCudaEncoding& sizes = encoder_.sizes();
  Context& context = encoder_.context();
  const uint64_t count = static_cast<uint64_t>(slices_) * coils_;
  if ((keeps & kPlanes) != 0) planes_.emplace(context.memory(), count * encoder_.points());
  if ((keeps & kImage) != 0 && coils_ < sizes.coils) image_.emplace(context.memory(), encoder_.image_floats());
  context.plans().prepare(rows ? PlanSizes{0, sizes.nx, count * sizes.ny} : PlanSizes{sizes.ny, sizes.nx, count});
}

// Per coil sample, of 8 bytes each: the kernels move 2 maps, 1 + 2 + 1 planes, and cuFFT 8 at least: 14. Without callbacks of cuFFT no pass can go.
// For lines that lines_normal() cannot take, 4 of cuFFT's fall away.
void normal(const Encoder& encoder, const float* image, float* result) {
  const bool rows = encoder.sizes().lines != 0;
  if (rows && lines_normal(encoder, image, result)) return;
  const auto scale = static_cast<float>(1 / static_cast<double>(rows ? encoder.sizes().nx : encoder.points()));
  round_trip(encoder, rows, scale, image, result, [&](const Chunk& chunk, float2* planes) {
    launch("weigh_twice", weigh_twice_kernel, encoder.grid(chunk), dim3(kBlock), 0, encoder.context().stream(), encoder.view(chunk, rows), planes);
  });
}

}  // namespace larmor::cuda
