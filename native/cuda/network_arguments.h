// Argument checks that the network functions share: sizes, arrays and the limits of a launch.
#pragma once
#include <cstdint>
#include <initializer_list>

#include "cuda/failure.h"

namespace larmor::cuda {

constexpr uint64_t kMaxGridX = 0x7fffffff, kMaxGridY = 65535;  // blocks of a launch, on every architecture

struct NamedSize {
  const char* name;
  uint64_t size;
};
struct NamedArray {
  const char* name;
  const void* array;
};

inline void require_sizes(std::initializer_list<NamedSize> sizes) {
  for (const NamedSize& s : sizes) require(s.size > 0, s.name, " must be at least 1, got 0");
}
inline void require_arrays(std::initializer_list<NamedArray> arrays) {
  for (const NamedArray& a : arrays) require(a.array != nullptr, a.name, " must not be null");
}

/// a * b * ..., which must stay below 2^62: no index in a kernel overflows then.
inline uint64_t product(std::initializer_list<NamedSize> sizes) {
  uint64_t result = 1;
  for (const NamedSize& s : sizes) {
    require(s.size == 0 || result <= (uint64_t{1} << 62) / s.size, "the arrays are too large at ", s.name, " ", s.size);
    result *= s.size;
  }
  return result;
}

/// `blocks` as one dimension of a grid: `what`, in units of `per_block`, must fit.
inline uint32_t grid_size(uint64_t blocks, uint64_t limit, const char* what, uint64_t per_block = 1) {
  require(blocks <= limit, what, " must be at most ", limit * per_block, ", got about ", blocks * per_block);
  return static_cast<uint32_t>(blocks);
}

inline bool aligned_to(uintptr_t bytes, const void* array) { return reinterpret_cast<uintptr_t>(array) % bytes == 0; }

}  // namespace larmor::cuda
