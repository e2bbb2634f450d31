// Arrays of float32 for the tests of network kernels: random ones, and how two compare.
#pragma once
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace larmor::test {

using Floats = std::vector<float>;

/// Seeded, normally distributed.
inline Floats random_floats(size_t n, unsigned seed, float offset = 0) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(offset, 1);
  Floats values(n);
  for (float& v : values) v = normal(generator);
  return values;
}

/// ||got - want|| / ||want||.
inline double relative_error(const Floats& got, const std::vector<double>& want) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    difference += (got[i] - want[i]) * (got[i] - want[i]);
    norm += want[i] * want[i];
  }
  return std::sqrt(difference / (norm > 0 ? norm : 1));
}

/// An empty vector may have no address, which memcmp must not be given.
inline bool bit_equal(const Floats& a, const Floats& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

}  // namespace larmor::test
