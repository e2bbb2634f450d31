// One device behind the plugin's table, and arrays on it.
#pragma once
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "cuda/plugin.h"

namespace larmor::gpu_check {

using Floats = std::vector<float>;

/// No device to check, or no plugin: not a wrong number.
struct Unavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The plugin of a path and a context on one of its devices. Every failure throws with the plugin's own reason.
class Device {
 public:
  Device(const std::string& plugin, int index);
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();

  const LarmorCudaTable* operator->() const { return table_; }
  /// Calls an entry of the table on the context.
  template <class... Wanted>
  void call(const char* name, LarmorCudaStatus (*entry)(LarmorCudaContext*, Wanted...), std::type_identity_t<Wanted>... given) const {
    if (entry == nullptr) throw std::runtime_error(std::string("the plugin has no ") + name);
    expect(name, entry(context_, given...));
  }
  void synchronize() const { call("synchronize", table_->synchronize); }
  void* stream() const { return table_->context_stream(context_); }
  LarmorCudaMemory memory() const;
  const LarmorCudaDevice& description() const { return description_; }
  int index() const { return index_; }

 private:
  void expect(const char* name, LarmorCudaStatus status) const;

  const LarmorCudaTable* table_ = nullptr;
  LarmorCudaContext* context_ = nullptr;
  LarmorCudaDevice description_{};
  int index_;
};

/// Floats on the device.
class Array {
 public:
  Array(const Device& device, size_t count);
  Array(const Device& device, const Floats& values) : Array(device, values.size()) { set(values); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array();

  size_t count() const { return count_; }
  void set(const Floats& values) const;
  /// Makes every float NaN: what a kernel does not write, or reads before, shows.
  void poison() const;
  Floats get() const;
  operator float*() const { return static_cast<float*>(data_); }

 private:
  const Device& device_;
  size_t count_;
  void* data_ = nullptr;
};

}  // namespace larmor::gpu_check
