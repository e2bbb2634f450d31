// Numbers hashed from their position, so that any part of an array can be had alone.
#include "values.h"

#include <cmath>

namespace larmor::gpu_check {
namespace {

/// The finaliser of SplitMix64 (Steele, Lea, Flood, 2014) on a counter.
uint64_t hash(uint64_t counter, uint64_t seed) {
  uint64_t z = (counter + 1) * 0x9e3779b97f4a7c15u + seed * 0xd1342543de82ef95u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// 24 bits: exact in a float, in [0, 1).
float unit(uint64_t bits) { return static_cast<float>(bits >> 40) * 0x1p-24f; }

}  // namespace

Floats noise(size_t count, uint64_t seed) {
  Floats values(count);
  for (size_t i = 0; i < count; ++i) values[i] = 2 * unit(hash(i, seed)) - 1;
  return values;
}

Floats away_from_zero(size_t count, uint64_t seed, float nearest) {
  Floats values(count);
  for (size_t i = 0; i < count; ++i) {
    const uint64_t bits = hash(i, seed);
    const float magnitude = nearest + (1 - nearest) * unit(bits);
    values[i] = (bits & 1) != 0 ? magnitude : -magnitude;
  }
  return values;
}

double relative_error(const Floats& got, const Floats& want) {
  if (got.size() != want.size()) return INFINITY;
  double difference = 0, norm = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    const double w = want[i], d = got[i] - w;
    difference += d * d;
    norm += w * w;
  }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

}  // namespace larmor::gpu_check
