// Large blocks of memory in large pages: the faults of small ones can take longer than the transform of the data they make room for.
#pragma once
#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>

namespace larmor {

constexpr size_t kCacheLine = 64;  // and a 512-bit register
constexpr size_t kLargePage = size_t{2} << 20;
constexpr size_t kLargeBlock = 2 * kLargePage;  // from here on rounding up to whole large pages wastes little

/// `bytes` rounded up to what allocate_block hands out.
inline size_t block_bytes(size_t bytes) {
  const size_t unit = bytes >= kLargeBlock ? kLargePage : kCacheLine;
  return (bytes + unit - 1) / unit * unit;
}

/// Asks for large pages, which the system need not have.
inline void prefer_large_pages([[maybe_unused]] void* memory, [[maybe_unused]] size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(memory, bytes, MADV_HUGEPAGE);
#endif
}

/// block_bytes(bytes) on a cache line, from kLargeBlock on in large pages; null when there is no memory. Free it with std::free.
inline void* allocate_block(size_t bytes) {
  const size_t rounded = block_bytes(bytes);
  if (rounded < kLargeBlock) return std::aligned_alloc(kCacheLine, rounded);
  void* const memory = std::aligned_alloc(kLargePage, rounded);
  if (memory != nullptr) prefer_large_pages(memory, rounded);
  return memory;
}

}  // namespace larmor
