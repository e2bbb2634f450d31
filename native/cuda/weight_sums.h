// Sums over pixels split over blocks: each block takes a share, and the shares are added in order.
#pragma once
#include "cuda/context.h"

namespace larmor::cuda {

/// The part [begin, end) of `count` things that share `index` of `shares` takes.
struct Share {
  uint64_t begin, end;
  __host__ __device__ Share(uint64_t count, uint32_t index, uint32_t shares)
      : begin(count / shares * index + min_of(index, count % shares)), end(begin + count / shares + (index < count % shares ? 1 : 0)) {}

 private:
  __host__ __device__ static uint64_t min_of(uint64_t a, uint64_t b) { return a < b ? a : b; }
};

/// How many shares `things` are split into, where `tiles` blocks work on each: enough blocks for a large device, whatever the device, so that
/// all devices give the same sums.
inline uint32_t shares_of(uint64_t things, uint64_t tiles) {
  constexpr uint64_t kBlocks = 1024;  // 132 multiprocessors hold 2 each, four times over
  const uint64_t shares = tiles >= kBlocks ? 1 : kBlocks / tiles;
  return static_cast<uint32_t>(shares < things ? shares : things);
}

/// The partial sums [shares, count] of one call, added into results afterwards. With one share the kernel writes the result itself.
class WeightSums {
 public:
  WeightSums(Context& context, uint64_t count, uint32_t shares)
      : context_(context), count_(count), shares_(shares), partials_(context.memory(), shares > 1 ? count * shares : 1) {}
  float* partials(float* result) const { return shares_ > 1 ? partials_.data() : result; }
  /// result[i] = sum over shares of partials[share, i], in double.
  void add(float* result) const;

 private:
  Context& context_;
  uint64_t count_;
  uint32_t shares_;
  Scratch<float> partials_;
};

}  // namespace larmor::cuda
