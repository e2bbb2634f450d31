// Time on the device: events of its driver, recorded in the plugin's stream. Without a driver (an emulated device), the wall clock.
#pragma once
#include <functional>

#include "device.h"

namespace larmor::gpu_check {

struct Times {
  double median, best;  // milliseconds
  int rounds;
};

class Clock {
 public:
  explicit Clock(const Device& device);
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  ~Clock();

  const char* name() const { return start_ != nullptr ? "CUDA events" : "wall clock"; }
  /// Runs until warm, then at least three and at most `rounds` times or for about `seconds`.
  Times measure(int rounds, double seconds, const std::function<void()>& run) const;

 private:
  double once(const std::function<void()>& run) const;

  const Device& device_;
  void* start_ = nullptr;
  void* stop_ = nullptr;
};

}  // namespace larmor::gpu_check
