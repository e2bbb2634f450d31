// Long vectors in blocks of fixed size, whose sums are added in order: the same for any number of threads.
#pragma once
#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "core/parallel.h"

namespace larmor {

class VectorBlocks {
 public:
  VectorBlocks(const Parallel& parallel, size_t floats) : parallel_(parallel), floats_(floats) {}

  /// body(begin, length) for every block.
  template <class F>
  void each(F&& body) const {
    parallel_((floats_ + kBlock - 1) / kBlock, [&](size_t block) {
      const size_t begin = block * kBlock;
      body(begin, std::min(kBlock, floats_ - begin));
    });
  }

  /// Sum over blocks of body(begin, length), of any type that starts at {} and has +=.
  template <class F>
  auto sum(F&& body) const {
    using Sum = std::invoke_result_t<F, size_t, size_t>;
    std::vector<Sum> sums((floats_ + kBlock - 1) / kBlock);
    each([&](size_t begin, size_t length) { sums[begin / kBlock] = body(begin, length); });
    Sum total{};
    for (const Sum& sum : sums) total += sum;
    return total;
  }

  double energy(const float* v) const {
    return sum([&](size_t begin, size_t length) {
      double total = 0;
      for (size_t i = begin; i < begin + length; ++i) total += static_cast<double>(v[i]) * v[i];
      return total;
    });
  }

 private:
  static constexpr size_t kBlock = 16384;  // floats: four vectors of them fit the second-level cache

  const Parallel& parallel_;
  size_t floats_;
};

}  // namespace larmor
