// The second half of sums over pixels that were split over blocks.
#include "cuda/weight_sums.h"

#include "cuda/device.h"

namespace larmor::cuda {
namespace {

constexpr uint32_t kResults = 32, kLanes = kBlock / kResults;  // of a block: so many sums side by side, each by so many threads

__global__ void __launch_bounds__(kBlock) weight_sums_kernel(uint64_t count, uint32_t shares, const float* partials, float* results) {
  __shared__ double lanes[kLanes][kResults];
  const uint32_t lane = threadIdx.x / kResults, result = threadIdx.x % kResults;
  const uint64_t i = static_cast<uint64_t>(blockIdx.x) * kResults + result;
  double sum = 0;
  if (i < count)
    for (uint32_t share = lane; share < shares; share += kLanes) sum += partials[share * count + i];
  lanes[lane][result] = sum;
  __syncthreads();
  if (lane != 0 || i >= count) return;
  for (uint32_t other = 1; other < kLanes; ++other) sum += lanes[other][result];
  results[i] = static_cast<float>(sum);
}

}  // namespace

void WeightSums::add(float* result) const {
  if (shares_ == 1) return;
  launch("weight_sums", weight_sums_kernel, dim3(blocks_for(count_, kResults)), dim3(kBlock), 0, context_.stream(), count_, shares_, partials_.data(),
         result);
}

}  // namespace larmor::cuda
