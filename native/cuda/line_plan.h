// How a line is transformed in shared memory: the stages of its length, and where samples and results lie.
#pragma once
#include <cstdint>
#include <optional>

#include "cuda/context.h"
#include "cuda/divider.h"

namespace larmor::cuda {

/// A stage takes blocks of radix * apart neighbouring samples: butterfly o < apart of a block has those that lie `apart` from each other from o on,
/// and turns result q by exp(-2 pi i q o / (radix * apart)) = roots[q * o * turn].
struct LineStage {
  uint32_t radix, apart, turn;
  Divider by_apart;
};

/// Decimation in frequency, in place: the first of the radices splits a line into as many parts, the next every part, and so on; the digits of a
/// result's slot are those of its index, reversed. Origins are in the middle of a line, at floor(n / 2), and at slot 0: centring costs nothing.
///
/// The parts of the first stage lie an odd number of slots apart: neighbouring results are in different parts, and threads that read them must not
/// meet in one bank of shared memory.
struct LinePlan {
  static constexpr uint32_t kMostLength = 4096;
  static constexpr uint32_t kMostStages = 8;  // 3^8 is more
  uint32_t length, part, part_pitch, slots;  // samples of a line and of a part; slots from part to part, and of a line
  uint32_t stages;
  LineStage stage[kMostStages];
  Divider by_part;
  const float2* roots;                          // [length]
  const uint32_t *sample_slot, *result_slot;    // [length]: where sample and result i lie
};

/// The plan of lines of n samples, with its tables on the context's device. Null where n is 0, has a prime factor above 31 or is too long.
std::optional<LinePlan> line_plan(Context& context, uint32_t n);

}  // namespace larmor::cuda
