// Multiply-adds that wait for nothing: the most arithmetic this instruction set does.

constexpr size_t kChains = 12;  // more than latency times units of any processor, and few enough for the registers of all

float multiply_adds(size_t rounds, float x) {
  const wide factor = broadcast(x), addend = broadcast(1 - x);  // 1 is a fixed point: nothing overflows or becomes denormal
  wide sums[kChains];
  for (size_t c = 0; c < kChains; ++c) sums[c] = broadcast(static_cast<float>(c));
  for (size_t i = 0; i < rounds; ++i)
    for (size_t c = 0; c < kChains; ++c) sums[c] = sums[c] * factor + addend;
  wide total = {};
  for (size_t c = 0; c < kChains; ++c) total += sums[c];
  return static_cast<float>(sum_lanes(total)) / (kChains * kLanes) * 0.5f;
}
