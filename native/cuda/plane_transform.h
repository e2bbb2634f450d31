// Transforms of planes of samples, with what has to be done to the samples before, between and after them folded in (passes.h has the contract): by
// larmor's own passes, or for lengths that these cannot take by cuFFT between kernels that do the same point by point.
#pragma once
#include <cmath>
#include <optional>

#include "cuda/centring.h"
#include "cuda/passes.h"

namespace larmor::cuda {

constexpr uint32_t kPointBlocks = 256;  // of a slice, where something runs point by point

/// Largest image whose points fit the 32-bit indices of the kernels.
constexpr uint64_t kMostPoints = uint64_t{1} << 30;

/// 1 / sqrt(points): what a transform is multiplied by, once.
inline float unitary_scale(uint64_t points) { return static_cast<float>(1 / std::sqrt(static_cast<double>(points))); }

/// Of planes [slice, coil, y, x] in memory.
struct StoredPlanes {
  PassSizes sizes;
  float2* data;

  __device__ float2* at(const Pixel& pixel, uint32_t coil) const {
    const auto ny = static_cast<int32_t>(sizes.ny), nx = static_cast<int32_t>(sizes.nx);
    return data + (static_cast<int64_t>(pixel.slice) * sizes.coils + coil) * (ny * nx) + (pixel.y * nx + pixel.x);
  }
};
struct FromPlanes : StoredPlanes {
  using Raw = float2;
  __device__ float2 read(const Pixel& pixel, uint32_t coil) const { return *at(pixel, coil); }
  __device__ float2 value(float2 raw, const Pixel&, uint32_t) const { return raw; }
};
struct ToPlanes : StoredPlanes {
  struct Raw {};
  __device__ Raw read(const Pixel&, uint32_t) const { return {}; }
  __device__ void write(const Raw&, const Pixel& pixel, uint32_t coil, float2 value) const { *at(pixel, coil) = value; }
};

/// What cuFFT is surrounded by, point by point. blockIdx.y counts slices.
template <class Body>
__device__ void each_pixel(const PassSizes& sizes, Body&& body) {
  for (uint64_t i = global_index(); i < static_cast<uint64_t>(sizes.ny) * sizes.nx; i += global_threads()) {
    const auto p = static_cast<uint32_t>(i);
    body(Pixel{static_cast<int32_t>(blockIdx.y), static_cast<int32_t>(p / sizes.nx), static_cast<int32_t>(p % sizes.nx)});
  }
}

template <class Source>
__global__ void source_kernel(StoredPlanes planes, Centring centring, bool inverse, Source source) {
  each_pixel(planes.sizes, [&](const Pixel& pixel) {
    for (uint32_t c = 0; c < planes.sizes.coils; ++c)
      *planes.at(pixel, c) = centring.apply(inverse, source.value(source.read(pixel, c), pixel, c), pixel);
  });
}

template <class Sink>
__global__ void sink_kernel(StoredPlanes planes, Centring centring, bool inverse, Sink sink) {
  each_pixel(planes.sizes, [&](const Pixel& pixel) {
    const auto get = [&](uint32_t coil) { return centring.apply(inverse, *planes.at(pixel, coil), pixel); };
    if constexpr (requires { typename Sink::Raw; })
      for (uint32_t c = 0; c < planes.sizes.coils; ++c) sink.write(sink.read(pixel, c), pixel, c, get(c));
    else
      sink.combine(pixel, 0, planes.sizes.coils, get);
  });
}

template <class Middle>
__global__ void middle_kernel(StoredPlanes planes, Centring centring, Middle middle) {
  typename Middle::Local local{};
  each_pixel(planes.sizes, [&](const Pixel& pixel) {
    for (uint32_t c = 0; c < planes.sizes.coils; ++c) {
      float2* const at = planes.at(pixel, c);
      *at = centring.apply(true, middle.value(local, middle.read(pixel, c), centring.apply(false, *at, pixel)), pixel);
    }
  });
  middle.finish(local);
}

/// Centred unscaled transforms of planes [.., ny, nx].
class PlaneTransform {
 public:
  PlaneTransform(Context& context, uint32_t ny, uint32_t nx) : context_(context), y_(line_plan(context, ny)), x_(line_plan(context, nx)) {
    if (!own_planes()) phases_ = {context.centring_phases(ny), context.centring_phases(nx)};
  }

  /// Whether larmor's own passes transform rows, and whole planes.
  bool own_rows() const { return x_.has_value(); }
  bool own_planes() const { return x_ && y_; }
  /// Whether rows of `coils` coils that go both ways read all of a point before they write it.
  bool at_once(const PassSizes& sizes) const { return RowTiles(sizes, *x_).together == sizes.coils; }
  /// Makes sure of what transforms of these planes need besides: cuFFT's work area.
  void prepare(const PassSizes& sizes, bool rows) const {
    if (!(rows ? own_rows() : own_planes())) context_.plans().prepare(plan(sizes, rows));
  }
  /// Blocks that call Middle::finish().
  uint64_t middle_blocks(const PassSizes& sizes) const {
    if (!own_planes()) return static_cast<uint64_t>(grid(sizes).x) * sizes.slices;
    const dim3 blocks = ColumnTiles(sizes, *y_).grid;
    return static_cast<uint64_t>(blocks.x) * blocks.y * blocks.z;
  }

  template <class Source, class Sink>
  void forward(const PassSizes& sizes, float2* planes, const Source& source, const Sink& sink) const {
    const StoredPlanes stored{sizes, planes};
    if (own_planes()) {
      run_rows<Way::kForward>(context_, sizes, *x_, source, NoMiddle{}, ToPlanes{stored});
      run_columns<Way::kForward>(context_, sizes, *y_, FromPlanes{stored}, NoMiddle{}, sink);
    } else {
      around(stored, false, source, sink);
    }
  }

  template <class Source, class Sink>
  void inverse(const PassSizes& sizes, float2* planes, const Source& source, const Sink& sink) const {
    const StoredPlanes stored{sizes, planes};
    if (own_planes()) {
      run_columns<Way::kInverse>(context_, sizes, *y_, source, NoMiddle{}, ToPlanes{stored});
      run_rows<Way::kInverse>(context_, sizes, *x_, FromPlanes{stored}, NoMiddle{}, sink);
    } else {
      around(stored, true, source, sink);
    }
  }

  /// Forward, the middle, inverse; with kRows of rows only; own passes of those do without planes.
  template <bool kRows, class Source, class Middle, class Sink>
  void both(const PassSizes& sizes, float2* planes, const Source& source, const Middle& middle, const Sink& sink) const {
    const StoredPlanes stored{sizes, planes};
    if (!(kRows ? own_rows() : own_planes())) {
      source_to(stored, kRows, false, source);
      context_.plans().transform(plan(sizes, kRows), false, planes);
      launch("middle", middle_kernel<Middle>, grid(sizes), dim3(kBlock), 0, context_.stream(), stored, centring(kRows), middle);
      context_.plans().transform(plan(sizes, kRows), true, planes);
      sink_from(stored, kRows, true, sink);
    } else if constexpr (kRows) {
      run_rows<Way::kBoth>(context_, sizes, *x_, source, middle, sink);
    } else {
      run_rows<Way::kForward>(context_, sizes, *x_, source, NoMiddle{}, ToPlanes{stored});
      run_columns<Way::kBoth>(context_, sizes, *y_, FromPlanes{stored}, middle, ToPlanes{stored});
      run_rows<Way::kInverse>(context_, sizes, *x_, FromPlanes{stored}, NoMiddle{}, sink);
    }
  }

 private:
  static PlanSizes plan(const PassSizes& sizes, bool rows) {
    const uint64_t planes = static_cast<uint64_t>(sizes.slices) * sizes.coils;
    return rows ? PlanSizes{0, sizes.nx, planes * sizes.ny} : PlanSizes{sizes.ny, sizes.nx, planes};
  }
  static dim3 grid(const PassSizes& sizes) { return dim3(blocks_for(static_cast<uint64_t>(sizes.ny) * sizes.nx, kBlock, kPointBlocks), sizes.slices); }
  Centring centring(bool rows) const { return {rows ? nullptr : phases_.along_y, phases_.along_x}; }
  template <class Source>
  void source_to(const StoredPlanes& planes, bool rows, bool inverse, const Source& source) const {
    launch("source", source_kernel<Source>, grid(planes.sizes), dim3(kBlock), 0, context_.stream(), planes, centring(rows), inverse, source);
  }
  template <class Sink>
  void sink_from(const StoredPlanes& planes, bool rows, bool inverse, const Sink& sink) const {
    launch("sink", sink_kernel<Sink>, grid(planes.sizes), dim3(kBlock), 0, context_.stream(), planes, centring(rows), inverse, sink);
  }
  template <class Source, class Sink>
  void around(const StoredPlanes& planes, bool inverse, const Source& source, const Sink& sink) const {
    source_to(planes, false, inverse, source);
    context_.plans().transform(plan(planes.sizes, false), inverse, planes.data);
    sink_from(planes, false, inverse, sink);
  }

  Context& context_;
  std::optional<LinePlan> y_, x_;
  Centring phases_{};
};

}  // namespace larmor::cuda
