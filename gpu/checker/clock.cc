// The driver's event functions by name: no header or library of CUDA's is needed to build the checker.
#include "clock.h"

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace larmor::gpu_check {
namespace {

/// The few functions used of libcuda.so.1, as the driver's documented interface has them.
struct Driver {
  int (*retain)(void** context, int device);
  int (*set_current)(void* context);
  int (*create)(void** event, unsigned flags);
  int (*destroy)(void* event);
  int (*record)(void* event, void* stream);
  int (*wait)(void* event);
  int (*elapsed)(float* milliseconds, void* start, void* stop);
};

const Driver* driver() {
  static Driver found{};
  static const bool there = [] {
    void* const library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return false;
    const auto get = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      return function != nullptr;
    };
    return get(found.retain, "cuDevicePrimaryCtxRetain") && get(found.set_current, "cuCtxSetCurrent") && get(found.create, "cuEventCreate") &&
           get(found.destroy, "cuEventDestroy_v2") && get(found.record, "cuEventRecord") && get(found.wait, "cuEventSynchronize") &&
           (get(found.elapsed, "cuEventElapsedTime_v2") || get(found.elapsed, "cuEventElapsedTime"));
  }();
  return there ? &found : nullptr;
}

using Wall = std::chrono::steady_clock;

}  // namespace

Clock::Clock(const Device& device) : device_(device) {
  void* context = nullptr;
  if (driver() == nullptr || driver()->retain(&context, device.index()) != 0 || driver()->set_current(context) != 0) return;
  if (driver()->create(&start_, 0) != 0 || driver()->create(&stop_, 0) != 0) start_ = nullptr;
}

Clock::~Clock() {
  for (void* const event : {start_, stop_})
    if (event != nullptr) driver()->destroy(event);
}

double Clock::once(const std::function<void()>& run) const {
  if (start_ == nullptr) {
    const auto began = Wall::now();
    run();
    device_.synchronize();
    return std::chrono::duration<double, std::milli>(Wall::now() - began).count();
  }
  float milliseconds = 0;
  if (driver()->record(start_, device_.stream()) != 0) throw std::runtime_error("cuEventRecord failed");
  run();
  if (driver()->record(stop_, device_.stream()) != 0 || driver()->wait(stop_) != 0 || driver()->elapsed(&milliseconds, start_, stop_) != 0)
    throw std::runtime_error("the device failed while it was timed");
  return milliseconds;
}

Times Clock::measure(int rounds, double seconds, const std::function<void()>& run) const {
  for (int i = 0; i < 2; ++i) run();
  device_.synchronize();
  const auto began = Wall::now();
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    times.push_back(once(run));
    if (i >= 2 && std::chrono::duration<double>(Wall::now() - began).count() > seconds) break;
  }
  std::sort(times.begin(), times.end());
  return {times[times.size() / 2], times[0], static_cast<int>(times.size())};
}

}  // namespace larmor::gpu_check
