// Passes over planes of samples, each of which reads them once, makes centred unscaled transforms of their lines in shared memory, and writes them once.
//
// What is read and written is up to the caller. All of these say with read(pixel, coil) what they need from memory, so that several reads are on their
// way before the first is used:
//   source.value(raw, pixel, coil)    a sample
//   middle.value(local, raw, sample)  in passes both ways: what is transformed back in place of a transformed sample; `local` is a Middle::Local of the
//                                     thread, and middle.finish(local) is called by every thread at the end
//   sink.write(raw, pixel, coil, sample)
// A sink that combines coils has instead
//   sink.combine(pixel, first, count, get), with the samples get(coil) of coils [first, first + count): of all that a block has of a pixel, in order
// What a block writes it has read before, so that planes may be replaced.
#pragma once
#include <algorithm>

#include "cuda/line_transform.h"

namespace larmor::cuda {

// Blocks that share a multiprocessor, so that some load while others compute. Three leave a thread 80 registers, which radices up to 23 nearly do
// with; 31 puts half of its samples aside.
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

constexpr uint32_t kGridLimit = 65535;  // blocks along every axis of a grid but the first

/// Planes [slices, coils, ny, nx].
struct PassSizes {
  uint32_t slices, coils, ny, nx;
};

constexpr uint32_t kMostLines = 16;            // of a tile: half a warp reads 128 bytes
constexpr size_t kTileBytes = size_t{60} << 10;  // of 64 KiB that every device gives a block; sums over the block take some

/// Of tiles of rows: odd, for neighbouring threads read and write neighbouring samples of one row.
__host__ __device__ inline uint32_t row_pitch(uint32_t lines) { return lines | 1; }
inline size_t tile_bytes(const LinePlan& plan, uint32_t pitch) { return static_cast<size_t>(plan.slots) * pitch * sizeof(float2); }

/// What a thread does of one line of a tile: sample `pixel`, and from there every `step`-th along x, or y, as long as it is less than `end`.
template <bool kAlongX>
struct Walk {
  Pixel pixel;
  uint32_t coil, line;
  int32_t step, end;

  __device__ int32_t start() const { return kAlongX ? pixel.x : pixel.y; }
  __device__ Pixel at(int32_t index) const { return kAlongX ? Pixel{pixel.slice, pixel.y, index} : Pixel{pixel.slice, index, pixel.x}; }
};

/// Calls body(i, count) for i = start, start + step, ... < end, `count` of them at once: a std::integral_constant.
template <int32_t kAtOnce, class Body>
__device__ void in_batches(int32_t i, int32_t step, int32_t end, const Body& body) {
  for (; i + (kAtOnce - 1) * step < end; i += kAtOnce * step) body(i, std::integral_constant<int32_t, kAtOnce>{});
  if constexpr (kAtOnce > 1) in_batches<kAtOnce / 2>(i, step, end, body);
}

/// Reads what `from` needs of the samples of a walk, and calls body(i, raw) for each.
template <int32_t kAtOnce, class From, bool kAlongX, class Body>
__device__ void each_read(const From& from, const Walk<kAlongX>& walk, const Body& body) {
  in_batches<kAtOnce>(walk.start(), walk.step, walk.end, [&](int32_t first, auto count) {
    typename From::Raw raw[count.value];
#pragma unroll
    for (int32_t i = 0; i < count.value; ++i) raw[i] = from.read(walk.at(first + i * walk.step), walk.coil);
#pragma unroll
    for (int32_t i = 0; i < count.value; ++i) body(first + i * walk.step, raw[i]);
  });
}

template <Way kWay, class Source, bool kAlongX>
__device__ void load_line(const Tile& tile, const LinePlan& plan, const Walk<kAlongX>& walk, const Source& source) {
  each_read<8>(source, walk, [&](int32_t i, const auto& raw) {
    const float2 value = source.value(raw, walk.at(i), walk.coil);
    tile.at(__ldg(plan.sample_slot + i), walk.line) = kWay == Way::kInverse ? swapped(value) : value;
  });
}

/// The middle of a pass both ways.
template <class Middle, bool kAlongX>
__device__ void change_line(const Tile& tile, const LinePlan& plan, const Walk<kAlongX>& walk, const Middle& middle, typename Middle::Local& local) {
  each_read<4>(middle, walk, [&](int32_t i, const auto& raw) {
    float2& result = tile.at(__ldg(plan.result_slot + i), walk.line);
    result = swapped(middle.value(local, raw, result));
  });
}

/// Result i of a pass, or of one both ways sample i.
template <Way kWay>
__device__ float2 final_value(const Tile& tile, const LinePlan& plan, int32_t i, uint32_t line) {
  const float2 value = tile.at(__ldg((kWay == Way::kBoth ? plan.sample_slot : plan.result_slot) + i), line);
  return kWay == Way::kForward ? value : swapped(value);
}

template <Way kWay, class Sink, bool kAlongX>
__device__ void store_line(const Tile& tile, const LinePlan& plan, const Walk<kAlongX>& walk, const Sink& sink) {
  in_batches<8>(walk.start(), walk.step, walk.end, [&](int32_t first, auto count) {
    typename Sink::Raw raw[count.value];
    float2 value[count.value];
#pragma unroll
    for (int32_t i = 0; i < count.value; ++i) raw[i] = sink.read(walk.at(first + i * walk.step), walk.coil);
#pragma unroll
    for (int32_t i = 0; i < count.value; ++i) value[i] = final_value<kWay>(tile, plan, first + i * walk.step, walk.line);
#pragma unroll
    for (int32_t i = 0; i < count.value; ++i) sink.write(raw[i], walk.at(first + i * walk.step), walk.coil, value[i]);
  });
}

/// Rows. A block has `rows` rows and goes through their coils, `together` at once. blockIdx.x counts groups of rows, blockIdx.y slices.
template <Way kWay, class Source, class Middle, class Sink>
__global__ void __launch_bounds__(kTileThreads, kTilesAtOnce)
    rows_kernel(PassSizes sizes, const __grid_constant__ LinePlan plan, uint32_t rows, uint32_t together, Source source, Middle middle, Sink sink) {
  constexpr uint32_t kWarp = 32, kWarps = kTileThreads / kWarp;
  const auto n = static_cast<int32_t>(plan.length), slice = static_cast<int32_t>(blockIdx.y);
  const uint32_t first_row = blockIdx.x * rows, count_rows = min(rows, sizes.ny - first_row);
  [[maybe_unused]] typename Middle::Local local{};
  for (uint32_t first = 0; first < sizes.coils; first += together) {
    const uint32_t count = min(together, sizes.coils - first), lines = count_rows * count;
    const Tile tile{dynamic_shared<float2>(), lines, row_pitch(lines)};
    /// Calls body(walk) for the lines of this thread's warp.
    const auto each_line = [&](auto&& body) {
      for (uint32_t line = threadIdx.x / kWarp; line < lines; line += kWarps) {
        const Pixel pixel{slice, static_cast<int32_t>(first_row + line / count), static_cast<int32_t>(threadIdx.x % kWarp)};
        body(Walk<true>{pixel, first + line % count, line, kWarp, n});
      }
    };
    each_line([&](const Walk<true>& walk) { load_line<kWay>(tile, plan, walk, source); });
    transform_lines(tile, plan);
    if constexpr (kWay == Way::kBoth) {
      each_line([&](const Walk<true>& walk) { change_line(tile, plan, walk, middle, local); });
      transform_lines_back(tile, plan);
    }
    if constexpr (requires { typename Sink::Raw; }) {
      each_line([&](const Walk<true>& walk) { store_line<kWay>(tile, plan, walk, sink); });
    } else {
      // Warps take rows where there are enough, else all go along every row.
      const uint32_t threads = count_rows < kWarps ? kTileThreads : kWarp;
      for (uint32_t row = threadIdx.x / threads; row < count_rows; row += kTileThreads / threads)
        for (auto x = static_cast<int32_t>(threadIdx.x % threads); x < n; x += static_cast<int32_t>(threads))
          sink.combine(Pixel{slice, static_cast<int32_t>(first_row + row), x}, first, count,
                       [&](uint32_t coil) { return final_value<kWay>(tile, plan, x, row * count + coil - first); });
    }
    __syncthreads();
  }
  if constexpr (kWay == Way::kBoth) middle.finish(local);
}

/// Columns: `width` neighbouring ones of a plane, a power of two; a thread is in one of them. blockIdx.x counts groups of columns, blockIdx.y coils,
/// blockIdx.z slices.
template <Way kWay, class Source, class Middle, class Sink>
__global__ void __launch_bounds__(kTileThreads, kTilesAtOnce)
    columns_kernel(PassSizes sizes, const __grid_constant__ LinePlan plan, uint32_t width, Source source, Middle middle, Sink sink) {
  const uint32_t first = blockIdx.x * width, line = threadIdx.x % width, lines = min(width, sizes.nx - first);
  const Tile tile{dynamic_shared<float2>(), lines, width};
  [[maybe_unused]] typename Middle::Local local{};
  const Pixel pixel{static_cast<int32_t>(blockIdx.z), static_cast<int32_t>(threadIdx.x / width), static_cast<int32_t>(first + line)};
  const Walk<false> walk{pixel, blockIdx.y, line, static_cast<int32_t>(kTileThreads / width), line < lines ? static_cast<int32_t>(plan.length) : 0};
  load_line<kWay>(tile, plan, walk, source);
  transform_lines(tile, plan);
  if constexpr (kWay == Way::kBoth) {
    change_line(tile, plan, walk, middle, local);
    transform_lines_back(tile, plan);
  }
  store_line<kWay>(tile, plan, walk, sink);
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
  uint32_t rows, together;

  RowTiles(const PassSizes& sizes, const LinePlan& plan) {
    uint32_t lines = kMostLines;
    while (lines > 1 && tile_bytes(plan, row_pitch(lines)) > kTileBytes) --lines;
    const uint32_t rounds = (sizes.coils + lines - 1) / lines;
    together = (sizes.coils + rounds - 1) / rounds;
    rows = std::min(lines / together, sizes.ny);
  }
};

template <Way kWay, class Source, class Middle, class Sink>
void run_rows(Context& context, const PassSizes& sizes, const LinePlan& plan, const Source& source, const Middle& middle, const Sink& sink) {
  const auto [rows, together] = RowTiles(sizes, plan);
  launch_tiles("rows", context, rows_kernel<kWay, Source, Middle, Sink>, dim3((sizes.ny + rows - 1) / rows, sizes.slices), tile_bytes(plan, row_pitch(rows * together)),
               sizes, plan, rows, together, source, middle, sink);
}

/// How columns_kernel() divides columns.
struct ColumnTiles {
  uint32_t width = kMostLines;
  dim3 grid;

  ColumnTiles(const PassSizes& sizes, const LinePlan& plan) {
    while (width > 1 && (width / 2 >= sizes.nx || tile_bytes(plan, width) > kTileBytes)) width /= 2;
    grid = dim3((sizes.nx + width - 1) / width, sizes.coils, sizes.slices);
  }
};

template <Way kWay, class Source, class Middle, class Sink>
void run_columns(Context& context, const PassSizes& sizes, const LinePlan& plan, const Source& source, const Middle& middle, const Sink& sink) {
  const ColumnTiles tiles(sizes, plan);
  launch_tiles("columns", context, columns_kernel<kWay, Source, Middle, Sink>, tiles.grid, tile_bytes(plan, tiles.width), sizes, plan, tiles.width, source, middle, sink);
}

}  // namespace larmor::cuda
