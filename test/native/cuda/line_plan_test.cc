// How lines are planned: which lengths, that slots are used once, and that tiles fit into what every device has.
#include <algorithm>
#include <vector>

#include "cuda/passes.h"
#include "on_device.h"

namespace {

using namespace larmor::cuda;
using namespace larmor::test;

constexpr size_t kEveryDevice = size_t{64} << 10, kSums = 32 * sizeof(double);  // shared memory of a block, and what sums over it take of that

bool only_small_primes(uint32_t n) {
  for (uint32_t prime = 2; prime <= 31; ++prime)
    while (n % prime == 0) n /= prime;
  return n == 1;
}

/// Whether slots are below `bound` and each is used once.
bool distinct(const uint32_t* slots, uint32_t count, uint32_t bound) {
  std::vector<uint32_t> sorted(slots, slots + count);
  std::sort(sorted.begin(), sorted.end());
  return sorted.back() < bound && std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
}

void check_length(LarmorCudaContext& context, uint32_t n) {
  const auto plan = line_plan(context, n);
  CHECK(plan.has_value() == only_small_primes(n));
  if (!plan) return;
  uint32_t product = 1;
  for (uint32_t s = 0; s < plan->stages; ++s) product *= plan->stage[s].radix;
  CHECK(product == n && plan->stages <= LinePlan::kMostStages);
  CHECK(distinct(plan->sample_slot, n, plan->slots) && distinct(plan->result_slot, n, plan->slots));
  CHECK(plan->sample_slot[n / 2] == 0 && plan->result_slot[n / 2] == 0);
  for (const uint32_t lines : {1u, 3u, 16u, 1000u}) {
    const RowTiles rows({1, lines, 5, n}, *plan);
    CHECK(rows.rows >= 1 && rows.together >= 1);
    CHECK(tile_bytes(*plan, row_pitch(rows.rows * rows.together)) + kSums <= kEveryDevice);
    const ColumnTiles columns({1, 1, n, lines}, *plan);
    CHECK(columns.width >= 1 && columns.grid.x * columns.width >= lines);
    CHECK(tile_bytes(*plan, columns.width) + kSums <= kEveryDevice);
  }
}

}  // namespace

int main() {
  {
    const OnDevice device;
    LarmorCudaContext& context = *static_cast<LarmorCudaContext*>(device);
    for (uint32_t n = 1; n <= LinePlan::kMostLength; ++n) check_length(context, n);
    CHECK(!line_plan(context, 0) && !line_plan(context, LinePlan::kMostLength + 1) && !line_plan(context, 8192));
    SUCCEED(cuda().trim(device));
  }
  return finish();
}
