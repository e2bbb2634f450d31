// Scratch memory on cache-line boundaries, where wide loads run at full speed.
#pragma once
#include <cstddef>
#include <memory>
#include <new>

namespace larmor {

constexpr std::align_val_t kScratchAlignment{64};

struct AlignedDelete {
  void operator()(float* p) const { ::operator delete[](p, kScratchAlignment); }
};
using AlignedFloats = std::unique_ptr<float[], AlignedDelete>;

/// `count` uninitialised floats, 64-byte aligned.
inline AlignedFloats aligned_floats(size_t count) { return AlignedFloats(new (kScratchAlignment) float[count]); }

}  // namespace larmor
