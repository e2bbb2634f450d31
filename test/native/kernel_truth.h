// What tests of kernels share: seeded values, comparison with plain loops in double, and how far float32 may be from them.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "check.h"
#include "core/complex.h"

namespace larmor::test {

/// Lengths around the widths of all instruction sets: empty tails, tails of one, and nothing but a tail.
constexpr size_t kLengths[] = {1, 3, 7, 8, 15, 16, 17, 31, 33, 48, 67, 100};

/// Seeded values in [-0.5, 0.5).
template <class T>
std::vector<T> values(size_t count, uint64_t seed) {
  std::vector<T> result(count);
  uint64_t state = 0x9e3779b97f4a7c15u * (seed + 1);
  for (T& value : result) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    value = static_cast<T>(static_cast<double>(state >> 11) / 9007199254740992.0 - 0.5);
  }
  return result;
}

inline std::vector<c32> samples(size_t count, uint64_t seed) {
  const std::vector<float> parts = values<float>(2 * count, seed);
  std::vector<c32> result(count);
  for (size_t i = 0; i < count; ++i) result[i] = {parts[2 * i], parts[2 * i + 1]};
  return result;
}

/// How far a float32 result may be from the exact one, relative to the largest: every one of `terms` roundings errs by half a unit of the
/// last place at most (6e-8), and they add up like a random walk; four times that walk's deviation never happens by chance.
inline double float_tolerance(size_t terms) { return 6e-8 * (1 + 4 * std::sqrt(static_cast<double>(terms))); }
/// The same in double.
inline double double_tolerance(size_t terms) { return float_tolerance(terms) * (1.2e-16 / 6e-8); }

/// The largest difference, relative to the largest wanted magnitude.
template <class T>
double worst(size_t count, const T* got, const double* want) {
  double difference = 0, largest = 1e-30;
  for (size_t i = 0; i < count; ++i) {
    difference = std::max(difference, std::fabs(static_cast<double>(got[i]) - want[i]));
    largest = std::max(largest, std::fabs(want[i]));
  }
  return difference / largest;
}

template <class T>
double worst(const std::vector<T>& got, const std::vector<double>& want) {
  return worst(want.size(), got.data(), want.data());
}

inline double worst(const std::vector<c32>& got, const std::vector<double>& want) { return worst(want.size(), &got[0].re, want.data()); }

}  // namespace larmor::test
