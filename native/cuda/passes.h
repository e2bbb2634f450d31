// Passes over planes of samples, each of which reads them once, makes centred unscaled transforms of their lines in shared memory, and writes them once.
//
// What is read and written is up to the caller:
//   source.read(pixel, coil)          gives a Source::Raw, of which source.value(raw, pixel, coil) makes a sample: several reads are on their way
//                                     before the first is used
//   middle(local, pixel, coil, value) in passes both ways: what is transformed back in place of a transformed value; `local` is a Middle::Local of
//                                     the thread, and middle.finish(local) is called by every thread at the end
//   sink(pixel, first, count, get)    does something with the results get(coil) of coils [first, first + count): of all that a block has of a pixel,
//                                     in order
// What a block writes it has read before, so that planes may be replaced.
#pragma once
#include <algorithm>
#include <bit>

#include "cuda/line_transform.h"

namespace larmor::cuda {

// Blocks that share a multiprocessor, so that some load while others compute. Three leave a thread 80 registers: radices up to 19 need no more, 23 lacks few.
constexpr uint32_t kTilesAtOnce = 3;

struct Pixel {
  uint32_t slice, y, x;
};

enum class Way { kForward, kInverse, kBoth };

/// The middle of passes that go one way.
struct NoMiddle {
  struct Local {};
};

constexpr uint32_t kMostSlices = 65535;  // of a launch, as of all axes of a grid but the first

/// Planes [slices, coils, ny, nx].
struct PassSizes {
  uint32_t slices, coils, ny, nx;
};

/// Lines of a tile: a power of two, as many as leave room for several tiles in a multiprocessor. The pitch of rows is odd, for neighbouring threads read
/// and write neighbouring samples of one row.
inline Tile tile_of(const LinePlan& plan, uint32_t most, bool rows) {
  constexpr uint32_t kBytes = 64u << 10, kMostShift = 4;  // bytes that every device gives a block
  const auto pitch = [&](uint32_t shift) { return rows ? 1u << shift | 1u : 1u << shift; };
  uint32_t shift = std::min<uint32_t>(kMostShift, std::bit_width(most - 1));
  while (shift > 0 && plan.slots * pitch(shift) * sizeof(float2) > kBytes) --shift;
  return {nullptr, shift, 0, pitch(shift)};
}
inline size_t bytes_of(const Tile& tile, const LinePlan& plan) { return plan.slots * tile.pitch * sizeof(float2); }

/// A sample of a tile: its index along its line, and the line.
struct Place {
  Pixel pixel;
  uint32_t coil, index, line;
};

/// Fills a tile from sample `first` of this thread on; place_of(e), e < samples, says which sample is where. kReads at once as long as there are as many.
template <Way kWay, uint32_t kReads = 8, class Source, class PlaceOf>
__device__ void load_tile(const Tile& tile, const LinePlan& plan, uint32_t first, uint32_t samples, const Source& source, const PlaceOf& place_of) {
  for (; first + (kReads - 1) * kTileThreads < samples; first += kReads * kTileThreads) {
    typename Source::Raw raw[kReads];
#pragma unroll
    for (uint32_t i = 0; i < kReads; ++i) {
      const Place place = place_of(first + i * kTileThreads);
      raw[i] = source.read(place.pixel, place.coil);
    }
#pragma unroll
    for (uint32_t i = 0; i < kReads; ++i) {
      const Place place = place_of(first + i * kTileThreads);
      const float2 value = source.value(raw[i], place.pixel, place.coil);
      tile.at(plan.sample_slot(place.index), place.line) = kWay == Way::kInverse ? swapped(value) : value;
    }
  }
  if constexpr (kReads > 1) load_tile<kWay, kReads / 2>(tile, plan, first, samples, source, place_of);
}

/// The middle of a pass both ways, over the same samples.
template <class Middle, class PlaceOf>
__device__ void change_tile(const Tile& tile, const LinePlan& plan, uint32_t samples, const Middle& middle, typename Middle::Local& local, const PlaceOf& place_of) {
#pragma unroll 4
  for (uint32_t e = threadIdx.x; e < samples; e += kTileThreads) {
    const Place place = place_of(e);
    float2& result = tile.at(plan.result_slot[place.index], place.line);
    result = swapped(middle(local, place.pixel, place.coil, result));
  }
}

/// Where sample or result i of a line lies at the end of a pass, and what it is.
template <Way kWay>
__device__ uint32_t final_slot(const LinePlan& plan, uint32_t i) {
  return kWay == Way::kBoth ? plan.sample_slot(i) : plan.result_slot[i];
}
template <Way kWay>
__device__ float2 final_value(float2 value) {
  return kWay == Way::kForward ? value : swapped(value);
}

/// Rows. A block has `rows` rows and goes through their coils, `together` at once. blockIdx.x counts groups of rows, blockIdx.y slices.
template <Way kWay, class Source, class Middle, class Sink>
__global__ void __launch_bounds__(kTileThreads, kTilesAtOnce)
    rows_kernel(PassSizes sizes, const __grid_constant__ LinePlan plan, Tile tile, uint32_t rows, uint32_t together, Source source, Middle middle, Sink sink) {
  const uint32_t n = plan.length, first_row = blockIdx.x * rows, count_rows = min(rows, sizes.ny - first_row);
  tile.data = dynamic_shared<float2>();
  [[maybe_unused]] typename Middle::Local local{};
  for (uint32_t first = 0; first < sizes.coils; first += together) {
    const uint32_t count = min(together, sizes.coils - first);
    const Divider by_count(count);
    tile.used = count_rows * count;
    const auto place_of = [&](uint32_t e) {
      const uint32_t line = plan.by_length.quotient(e), x = e - line * n, row = by_count.quotient(line);
      return Place{{blockIdx.y, first_row + row, x}, first + line - row * count, x, line};
    };
    load_tile<kWay>(tile, plan, threadIdx.x, tile.used * n, source, place_of);
    transform_lines(tile, plan);
    if constexpr (kWay == Way::kBoth) {
      change_tile(tile, plan, tile.used * n, middle, local, place_of);
      transform_lines_back(tile, plan);
    }
    for (uint32_t e = threadIdx.x; e < count_rows * n; e += kTileThreads) {
      const uint32_t row = plan.by_length.quotient(e), x = e - row * n;
      const float2* const results = &tile.at(final_slot<kWay>(plan, x), row * count);
      sink(Pixel{blockIdx.y, first_row + row, x}, first, count, [&](uint32_t coil) { return final_value<kWay>(results[coil - first]); });
    }
    __syncthreads();
  }
  if constexpr (kWay == Way::kBoth) middle.finish(local);
}

/// Columns: of 2^tile.shift neighbouring ones of a plane. blockIdx.x counts groups of columns, blockIdx.y coils, blockIdx.z slices.
template <Way kWay, class Source, class Middle, class Sink>
__global__ void __launch_bounds__(kTileThreads, kTilesAtOnce)
    columns_kernel(PassSizes sizes, const __grid_constant__ LinePlan plan, Tile tile, Source source, Middle middle, Sink sink) {
  const uint32_t first = blockIdx.x << tile.shift, coil = blockIdx.y;
  tile.data = dynamic_shared<float2>();
  tile.used = min(1u << tile.shift, sizes.nx - first);
  const Divider by_used(tile.used);
  const uint32_t samples = plan.length * tile.used;
  [[maybe_unused]] typename Middle::Local local{};
  const auto place_of = [&](uint32_t e) {
    const uint32_t y = by_used.quotient(e), line = e - y * tile.used;
    return Place{{blockIdx.z, y, first + line}, coil, y, line};
  };
  load_tile<kWay>(tile, plan, threadIdx.x, samples, source, place_of);
  transform_lines(tile, plan);
  if constexpr (kWay == Way::kBoth) {
    change_tile(tile, plan, samples, middle, local, place_of);
    transform_lines_back(tile, plan);
  }
#pragma unroll 4
  for (uint32_t e = threadIdx.x; e < samples; e += kTileThreads) {
    const Place place = place_of(e);
    const float2 value = tile.at(final_slot<kWay>(plan, place.index), place.line);
    sink(place.pixel, coil, 1, [&](uint32_t) { return final_value<kWay>(value); });
  }
  if constexpr (kWay == Way::kBoth) middle.finish(local);
}

template <class Kernel, class... Arguments>
void launch_tiles(const char* name, Context& context, Kernel* kernel, dim3 grid, size_t bytes, const Arguments&... arguments) {
  constexpr size_t kWithoutAsking = size_t{48} << 10;
  if (bytes > kWithoutAsking) check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)), "cudaFuncSetAttribute");
  launch(name, kernel, grid, dim3(kTileThreads), bytes, context.stream(), arguments...);
}

/// How rows_kernel() divides rows.
struct RowTiles {
  Tile tile;
  uint32_t rows, together;

  RowTiles(const PassSizes& sizes, const LinePlan& plan) : tile(tile_of(plan, sizes.coils * std::min(sizes.ny, 16u), true)) {
    const uint32_t lines = 1u << tile.shift, rounds = (sizes.coils + lines - 1) / lines;
    together = (sizes.coils + rounds - 1) / rounds;
    rows = lines / together;
  }
};

template <Way kWay, class Source, class Middle, class Sink>
void run_rows(Context& context, const PassSizes& sizes, const LinePlan& plan, const Source& source, const Middle& middle, const Sink& sink) {
  const RowTiles tiles(sizes, plan);
  launch_tiles("rows", context, rows_kernel<kWay, Source, Middle, Sink>, dim3((sizes.ny + tiles.rows - 1) / tiles.rows, sizes.slices), bytes_of(tiles.tile, plan), sizes,
               plan, tiles.tile, tiles.rows, tiles.together, source, middle, sink);
}

inline dim3 column_grid(const PassSizes& sizes, const Tile& tile) { return dim3((sizes.nx + (1u << tile.shift) - 1) >> tile.shift, sizes.coils, sizes.slices); }

template <Way kWay, class Source, class Middle, class Sink>
void run_columns(Context& context, const PassSizes& sizes, const LinePlan& plan, const Source& source, const Middle& middle, const Sink& sink) {
  const Tile tile = tile_of(plan, sizes.nx, false);
  launch_tiles("columns", context, columns_kernel<kWay, Source, Middle, Sink>, column_grid(sizes, tile), bytes_of(tile, plan), sizes, plan, tile, source, middle, sink);
}

}  // namespace larmor::cuda
