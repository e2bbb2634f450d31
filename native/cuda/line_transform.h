// Transforms of a tile of lines in shared memory, in place, by all threads of a block.
#pragma once
#include <type_traits>

#include "cuda/butterfly.h"
#include "cuda/line_plan.h"

namespace larmor::cuda {

constexpr uint32_t kTileThreads = 256;

/// Slot s of line i is at data[s * pitch + i]. Neighbouring threads work on neighbouring lines.
struct Tile {
  float2* data;
  uint32_t lines, pitch;

  __device__ float2& at(uint32_t slot, uint32_t line) const { return data[slot * pitch + line]; }
};

/// Whether results are turned after a butterfly, or samples before it: the second, with the stages in reverse order, is the first transposed. Both are
/// the forward transform, which is symmetric: one takes samples at their slots and leaves results at theirs, the other the reverse.
enum class Decimation { kInFrequency, kInTime };

/// The butterflies of a stage, of all lines. Parts lie `gap` further apart than they are long; `first` says that the stage's samples are in different parts. Without
/// kTurns nothing is turned: of neighbours all turns are whole.
template <int R, Decimation kDecimation, bool kTurns>
LARMOR_APART __device__ void run_radix(Tile tile, LineStage stage, uint32_t length, uint32_t gap, Divider by_part, bool first, const float2* roots) {
  constexpr bool kBefore = kTurns && kDecimation == Decimation::kInTime, kAfter = kTurns && kDecimation == Decimation::kInFrequency;
  const uint32_t butterflies = length / R * tile.lines, step = (first ? stage.apart + gap : stage.apart) * tile.pitch;
  const Divider by_lines(tile.lines);
  for (uint32_t e = threadIdx.x; e < butterflies; e += blockDim.x) {
    const uint32_t j = by_lines.quotient(e), line = e - j * tile.lines;
    const uint32_t block = stage.by_apart.quotient(j), offset = j - block * stage.apart;
    const uint32_t sample = block * R * stage.apart + offset;
    float2* const at = &tile.at(sample + by_part.quotient(sample) * gap, line);
    const auto turned = [&, turn = offset * stage.turn](int k, float2 value) { return __ldg(roots + k * turn) * value; };
    float2 v[R];
#pragma unroll
    for (int r = 0; r < R; ++r) {
      v[r] = at[r * step];
      if (kBefore && r > 0) v[r] = turned(r, v[r]);
    }
    Butterfly<R>::run(v, [&](int k, float2 value) { at[k * step] = kAfter && k > 0 ? turned(k, value) : value; });
  }
}

/// The turns of a stage by themselves.
LARMOR_APART __device__ inline void turn_lines(Tile tile, LineStage stage, uint32_t length, uint32_t gap, Divider by_part, const float2* roots) {
  for (uint32_t e = threadIdx.x; e < length * tile.lines; e += blockDim.x) {
    const uint32_t sample = e / tile.lines, of_block = sample % (stage.radix * stage.apart);
    float2& value = tile.at(sample + by_part.quotient(sample) * gap, e % tile.lines);
    value = roots[of_block / stage.apart * (of_block % stage.apart) * stage.turn] * value;
  }
}

// Larger radices turn in a round of their own: few lengths have two of them, and their code is long.
constexpr uint32_t kMostTurning = 16;

template <int R>
using Radix = std::integral_constant<int, R>;

template <Decimation kDecimation>
__device__ void run_butterflies(const Tile& tile, const LinePlan& plan, uint32_t s, uint32_t gap, bool turns) {
  const LineStage& stage = plan.stage[s];
  const auto run = [&](auto radix) {
    constexpr bool kTurns = radix.value <= kMostTurning;
    if (kTurns && turns)
      run_radix<radix.value, kDecimation, kTurns>(tile, stage, plan.length, gap, plan.by_part, s == 0, plan.roots);
    else
      run_radix<radix.value, kDecimation, false>(tile, stage, plan.length, gap, plan.by_part, s == 0, plan.roots);
  };
  switch (stage.radix) {
    case 2: return run(Radix<2>{});
    case 3: return run(Radix<3>{});
    case 4: return run(Radix<4>{});
    case 5: return run(Radix<5>{});
    case 7: return run(Radix<7>{});
    case 8: return run(Radix<8>{});
    case 11: return run(Radix<11>{});
    case 13: return run(Radix<13>{});
    case 16: return run(Radix<16>{});
    case 17: return run(Radix<17>{});
    case 19: return run(Radix<19>{});
    case 23: return run(Radix<23>{});
    case 29: return run(Radix<29>{});
    case 31: return run(Radix<31>{});
  }
}

template <Decimation kDecimation>
__device__ void run_stage(const Tile& tile, const LinePlan& plan, uint32_t s) {
  const LineStage& stage = plan.stage[s];
  const uint32_t gap = plan.part_pitch - plan.part;
  const bool turns = stage.apart > 1, by_themselves = turns && stage.radix > kMostTurning;
  if (kDecimation == Decimation::kInTime && by_themselves) {
    turn_lines(tile, stage, plan.length, gap, plan.by_part, plan.roots);
    __syncthreads();
  }
  run_butterflies<kDecimation>(tile, plan, s, gap, turns);
  if (kDecimation == Decimation::kInFrequency && by_themselves) {
    __syncthreads();
    turn_lines(tile, stage, plan.length, gap, plan.by_part, plan.roots);
  }
}

/// Samples at their slots become results at theirs. The block meets before and after.
__device__ inline void transform_lines(const Tile& tile, const LinePlan& plan) {
  __syncthreads();
  for (uint32_t s = 0; s < plan.stages; ++s) {
    run_stage<Decimation::kInFrequency>(tile, plan, s);
    __syncthreads();
  }
}

/// Results at their slots become samples at theirs: the forward transform of them, not the inverse.
__device__ inline void transform_lines_back(const Tile& tile, const LinePlan& plan) {
  __syncthreads();
  for (uint32_t s = plan.stages; s-- > 0;) {
    run_stage<Decimation::kInTime>(tile, plan, s);
    __syncthreads();
  }
}

/// The inverse transform is the forward one of samples whose parts have changed places, and so have those of its results.
__device__ inline float2 swapped(float2 value) { return {value.y, value.x}; }

}  // namespace larmor::cuda
