// cuFFT as anyone would call it, to be timed beside the plugin's transform: in place, neither centred nor scaled.
#pragma once
#include <memory>

#include "device.h"

namespace larmor::gpu_check {

class PlainFft {
 public:
  /// Throws with the reason where cuFFT cannot be opened or has no such plan.
  PlainFft(const Device& device, uint64_t batch, uint32_t ny, uint32_t nx);
  PlainFft(const PlainFft&) = delete;
  PlainFft& operator=(const PlainFft&) = delete;
  ~PlainFft();

  void forward(const Array& data) const;

 private:
  struct Library;
  static const Library& library();

  int plan_ = 0;
  std::unique_ptr<Array> work_;
};

}  // namespace larmor::gpu_check
