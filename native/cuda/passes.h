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

// Signed, as the compiler may then assume that indices do not wrap, and computes addresses of neighbours from one another.
struct Pixel {
  int32_t slice, y, x;
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
  constexpr uint32_t kBytes = 60u << 10, kMostShift = 4;  // every device gives a block 64 KiB, of which sums over the block take some
  const auto pitch = [&](uint32_t shift) { return rows ? 1u << shift | 1u : 1u << shift; };
  uint32_t shift = std::min<uint32_t>(kMostShift, std::bit_width(most - 1));
  while (shift > 0 && plan.slots * pitch(shift) * sizeof(float2) > kBytes) --shift;
  return {nullptr, shift, 0, pitch(shift)};
}
inline size_t bytes_of(const Tile& tile, const LinePlan& plan) { return plan.slots * tile.pitch * sizeof(float2); }

/// What a thread does of one line of a tile: sample `pixel`, and from there every `step`-th along x, or y, as long as it is less than `end`.
template <bool kAlongX>
struct Walk {
  Pixel pixel;
  uint32_t coil, line;
  int32_t step, end;

  __device__ int32_t start() const { return kAlongX ? pixel.x : pixel.y; }
  __device__ Pixel at(int32_t index) const { return kAlongX ? Pixel{pixel.slice, pixel.y, index} : Pixel{pixel.slice, index, pixel.x}; }
};

/// Fills a tile's line from sample i on, kReads at once as long as there are as many.
template <Way kWay, int32_t kReads = 8, class Source, bool kAlongX>
__device__ void load_line(const Tile& tile, const LinePlan& plan, const Walk<kAlongX>& walk, int32_t i, const Source& source) {
  for (; i + (kReads - 1) * walk.step < walk.end; i += kReads * walk.step) {
    typename Source::Raw raw[kReads];
#pragma unroll
    for (int32_t r = 0; r < kReads; ++r) raw[r] = source.read(walk.at(i + r * walk.step), walk.coil);
#pragma unroll
    for (int32_t r = 0; r < kReads; ++r) {
      const float2 value = source.value(raw[r], walk.at(i + r * walk.step), walk.coil);
      tile.at(plan.sample_slot[i + r * walk.step], walk.line) = kWay == Way::kInverse ? swapped(value) : value;
    }
  }
  if constexpr (kReads > 1) load_line<kWay, kReads / 2>(tile, plan, walk, i, source);
}

/// The middle of a pass both ways.
template <class Middle, bool kAlongX>
__device__ void change_line(const Tile& tile, const LinePlan& plan, const Walk<kAlongX>& walk, const Middle& middle, typename Middle::Local& local) {
#pragma unroll 4
  for (int32_t i = walk.start(); i < walk.end; i += walk.step) {
    float2& result = tile.at(plan.result_slot[i], walk.line);
    result = swapped(middle(local, walk.at(i), walk.coil, result));
  }
}

/// Where sample or result i of a line lies at the end of a pass, and what it is.
template <Way kWay>
__device__ uint32_t final_slot(const LinePlan& plan, int32_t i) {
  return kWay == Way::kBoth ? plan.sample_slot[i] : plan.result_slot[i];
}
template <Way kWay>
__device__ float2 final_value(float2 value) {
  return kWay == Way::kForward ? value : swapped(value);
}

/// Rows. A block has `rows` rows and goes through their coils, `together` at once. blockIdx.x counts groups of rows, blockIdx.y slices.
template <Way kWay, class Source, class Middle, class Sink>
__global__ void __launch_bounds__(kTileThreads, kTilesAtOnce)
    rows_kernel(PassSizes sizes, const __grid_constant__ LinePlan plan, Tile tile, uint32_t rows, uint32_t together, Source source, Middle middle, Sink sink) {
  constexpr uint32_t kWarp = 32, kWarps = kTileThreads / kWarp;
  const auto n = static_cast<int32_t>(plan.length), slice = static_cast<int32_t>(blockIdx.y);
  const uint32_t first_row = blockIdx.x * rows, count_rows = min(rows, sizes.ny - first_row);
  tile.data = dynamic_shared<float2>();
  [[maybe_unused]] typename Middle::Local local{};
  for (uint32_t first = 0; first < sizes.coils; first += together) {
    const uint32_t count = min(together, sizes.coils - first);
    tile.used = count_rows * count;
    /// Calls body(walk) for the lines of this thread's warp.
    const auto each_line = [&](auto&& body) {
      for (uint32_t line = threadIdx.x / kWarp; line < tile.used; line += kWarps) {
        const Pixel pixel{slice, static_cast<int32_t>(first_row + line / count), static_cast<int32_t>(threadIdx.x % kWarp)};
        body(Walk<true>{pixel, first + line % count, line, kWarp, n});
      }
    };
    each_line([&](const Walk<true>& walk) { load_line<kWay>(tile, plan, walk, walk.start(), source); });
    transform_lines(tile, plan);
    if constexpr (kWay == Way::kBoth) {
      each_line([&](const Walk<true>& walk) { change_line(tile, plan, walk, middle, local); });
      transform_lines_back(tile, plan);
    }
    // Warps take rows where there are enough, else all go along every row.
    const uint32_t threads = count_rows < kWarps ? kTileThreads : kWarp;
    for (uint32_t row = threadIdx.x / threads; row < count_rows; row += kTileThreads / threads)
      for (auto x = static_cast<int32_t>(threadIdx.x % threads); x < n; x += static_cast<int32_t>(threads)) {
        const float2* const results = &tile.at(final_slot<kWay>(plan, x), row * count);
        sink(Pixel{slice, static_cast<int32_t>(first_row + row), x}, first, count, [&](uint32_t coil) { return final_value<kWay>(results[coil - first]); });
      }
    __syncthreads();
  }
  if constexpr (kWay == Way::kBoth) middle.finish(local);
}

/// Columns: of 2^tile.shift neighbouring ones of a plane, a thread in one of them. blockIdx.x counts groups of columns, blockIdx.y coils, blockIdx.z
/// slices.
template <Way kWay, class Source, class Middle, class Sink>
__global__ void __launch_bounds__(kTileThreads, kTilesAtOnce)
    columns_kernel(PassSizes sizes, const __grid_constant__ LinePlan plan, Tile tile, Source source, Middle middle, Sink sink) {
  const uint32_t first = blockIdx.x << tile.shift, lines = 1u << tile.shift, line = threadIdx.x & (lines - 1);
  tile.data = dynamic_shared<float2>();
  tile.used = min(lines, sizes.nx - first);
  [[maybe_unused]] typename Middle::Local local{};
  const Pixel pixel{static_cast<int32_t>(blockIdx.z), static_cast<int32_t>(threadIdx.x >> tile.shift), static_cast<int32_t>(first + line)};
  const Walk<false> walk{pixel, blockIdx.y, line, static_cast<int32_t>(kTileThreads >> tile.shift), line < tile.used ? static_cast<int32_t>(plan.length) : 0};
  load_line<kWay>(tile, plan, walk, walk.start(), source);
  transform_lines(tile, plan);
  if constexpr (kWay == Way::kBoth) {
    change_line(tile, plan, walk, middle, local);
    transform_lines_back(tile, plan);
  }
#pragma unroll 4
  for (int32_t y = walk.start(); y < walk.end; y += walk.step) {
    const float2 value = tile.at(final_slot<kWay>(plan, y), line);
    sink(walk.at(y), walk.coil, 1, [&](uint32_t) { return final_value<kWay>(value); });
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
