// Factors of lengths, and the order in which a transform in place leaves its results.
#include "cuda/line_plan.h"

#include <vector>

namespace larmor::cuda {
namespace {

constexpr uint32_t kLargestRadix = 31;

/// The radices of n, powers of two first: an odd last radix keeps threads of neighbouring butterflies apart in the banks of shared memory.
std::vector<uint32_t> radices(uint32_t n) {
  std::vector<uint32_t> result;
  uint32_t twos = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  for (uint32_t left = (twos + 3) / 4; left > 0; --left) {
    const uint32_t taken = (twos + left - 1) / left;
    result.push_back(1u << taken);
    twos -= taken;
  }
  for (uint32_t radix = 3; radix <= kLargestRadix; radix += 2)
    for (; n % radix == 0; n /= radix) result.push_back(radix);
  if (n != 1) result.clear();
  return result;
}

}  // namespace

std::optional<LinePlan> line_plan(Context& context, uint32_t n) {
  if (n == 0 || n > LinePlan::kMostLength) return std::nullopt;
  const std::vector<uint32_t> factors = radices(n);
  if (factors.empty() && n > 1) return std::nullopt;
  LinePlan plan{};
  plan.length = n;
  plan.part = factors.empty() ? 1 : n / factors[0];
  plan.by_part = Divider(plan.part);
  plan.part_pitch = plan.part | 1;
  plan.slots = n / plan.part * plan.part_pitch;
  uint32_t block = n;
  for (const uint32_t radix : factors) {
    const uint32_t apart = block / radix;
    plan.stage[plan.stages++] = {radix, apart, n / block, Divider(apart)};
    block = apart;
  }
  plan.roots = context.roots(n);
  plan.sample_slot = context.slots(n, [&](uint32_t i) {
    const bool result = i >= n;
    uint32_t slot = 0, from_centre = (i % n + n - n / 2) % n;
    if (!result) return from_centre / plan.part * plan.part_pitch + from_centre % plan.part;
    for (uint32_t s = 0; s < plan.stages; from_centre /= plan.stage[s].radix, ++s)
      slot += from_centre % plan.stage[s].radix * (s == 0 ? plan.part_pitch : plan.stage[s].apart);
    return slot;
  });
  plan.result_slot = plan.sample_slot + n;
  return plan;
}

}  // namespace larmor::cuda
