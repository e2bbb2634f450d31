// Division of small numbers by one that many threads share, as a multiplication.
#pragma once
#include "cuda/runtime.h"

namespace larmor::cuda {

/// Quotients by n of every i with (i + 1) n <= 2^32. With f = floor((2^32 - 1) / n), floor((i + 1) f / 2^32) is floor(i / n) there: f n lacks at most n
/// of 2^32.
class Divider {
 public:
  Divider() = default;
  __host__ __device__ explicit Divider(uint32_t n) : factor_(0xffffffffu / n) {}
  __device__ uint32_t quotient(uint32_t i) const { return static_cast<uint32_t>((static_cast<uint64_t>(i) * factor_ + factor_) >> 32); }

 private:
  uint32_t factor_ = 0;
};

}  // namespace larmor::cuda
