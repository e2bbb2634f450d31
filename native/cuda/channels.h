// The channels of n images, which may lie in two arrays.
#pragma once
#include "cuda/network_arguments.h"
#include "cuda/runtime.h"

namespace larmor::cuda {

/// Of every image the first `split` channels in `first` and the others in `second`: core/network.h's Channels.
template <class T>
struct Channels {
  uint32_t count, split;
  T* first;
  T* second;

  __device__ T* plane(uint64_t image, uint32_t channel, uint64_t pixels) const {
    return channel < split ? first + (image * split + channel) * pixels : second + (image * (count - split) + channel - split) * pixels;
  }
};

/// Of a function's arguments: where `beside` is null, split is not read and all channels lie in `array`.
template <class T>
Channels<T> channels_of(uint32_t count, uint32_t split, T* array, T* beside, const char* split_name) {
  if (beside == nullptr) return {count, count, array, nullptr};
  require(split > 0 && split < count, split_name, " must be between 1 and ", count - 1, " with channels in two arrays, got ", split);
  return {count, split, array, beside};
}

}  // namespace larmor::cuda
