// What the tests of the device's network kernels share: arrays compared with those of the processor's kernels.
#pragma once
#include <cmath>
#include <vector>

#include "../kernel_truth.h"
#include "on_device.h"

namespace larmor::test {

using Floats = std::vector<float>;

/// Both sum in single precision, in different orders, and round to floats what they hand on.
constexpr double kTolerance = 1e-5;

/// ||got - want|| / ||want||; 0 for two empty or two zero arrays.
inline double relative_error(const Floats& got, const Floats& want) {
  double difference = 0, norm = 0;
  CHECK(got.size() == want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    difference += std::pow(static_cast<double>(got[i]) - want[i], 2);
    norm += std::pow(static_cast<double>(want[i]), 2);
  }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

/// `got` is what in_both_orders made of several arrays, one after the other: each must be near its `want`.
inline void check_near(const Floats& got, const std::vector<Floats>& want) {
  size_t at = 0;
  for (const Floats& array : want) {
    CHECK(at + array.size() <= got.size());
    const auto begin = got.begin() + static_cast<ptrdiff_t>(at);
    CHECK_CLOSE(relative_error(Floats(begin, begin + static_cast<ptrdiff_t>(array.size())), array), 0, kTolerance);
    at += array.size();
  }
  CHECK(at == got.size());
}

inline Floats joined(const std::vector<Floats>& arrays) {
  Floats result;
  for (const Floats& array : arrays) result.insert(result.end(), array.begin(), array.end());
  return result;
}

}  // namespace larmor::test
