// The life of a context, and the copies it waits for.
#include "cuda/context.h"

#include <cmath>
#include <numbers>
#include <vector>

#include "cuda/devices.h"

namespace {

cudaStream_t create_stream(int device) {
  using larmor::cuda::check;
  const int devices = larmor::cuda::count_devices();
  larmor::cuda::require(device >= 0 && device < devices, "device must be less than ", devices, ", got ", device);
  check(cudaSetDevice(device), "cudaSetDevice");
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  return stream;
}

/// exp(pi i angle / n).
float2 direction(uint64_t angle, uint32_t n) {
  const double turned = std::numbers::pi * static_cast<double>(angle) / n;
  return {static_cast<float>(std::cos(turned)), static_cast<float>(std::sin(turned))};
}

}  // namespace

LarmorCudaContext::LarmorCudaContext(int device) : device_(device), stream_(create_stream(device)), plans_(memory_, stream_) {}

LarmorCudaContext::~LarmorCudaContext() {
  cudaSetDevice(device_);
  cudaStreamSynchronize(stream_);
  plans_.clear();
  cudaStreamDestroy(stream_);
}

void LarmorCudaContext::upload(void* device_to, const void* from, size_t bytes) const {
  larmor::cuda::check(cudaMemcpyAsync(device_to, from, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
  synchronize();
}

void LarmorCudaContext::download(void* to, const void* device_from, size_t bytes) const {
  larmor::cuda::check(cudaMemcpyAsync(to, device_from, bytes, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
  synchronize();
}

template <class Value>
auto LarmorCudaContext::table(Tables& tables, uint32_t n, uint32_t count, Value&& value) -> const decltype(value(0u))* {
  using Entry = decltype(value(0u));
  const auto known = tables.find(n);
  if (known != tables.end()) return static_cast<const Entry*>(known->second);
  std::vector<Entry> values(count);
  for (uint32_t j = 0; j < count; ++j) values[j] = value(j);
  void* const on_device = memory_.take(count * sizeof(Entry));
  try {
    upload(on_device, values.data(), count * sizeof(Entry));
    tables.emplace(n, on_device);
  } catch (...) {
    memory_.give(on_device);
    throw;
  }
  return static_cast<const Entry*>(on_device);
}

// Angles are taken modulo the whole turn while they are integers, in units of pi / n, so that they are exact.
const float2* LarmorCudaContext::centring_phases(uint32_t n) {
  const uint64_t c = n / 2, turn = 2 * static_cast<uint64_t>(n);
  return table(phases_, n, n, [=](uint32_t j) { return direction((2 * c * j + turn * c - c * c) % turn, n); });
}

const float2* LarmorCudaContext::roots(uint32_t n) {
  return table(roots_, n, n, [=](uint32_t k) { return direction(2 * (static_cast<uint64_t>(n) - k), n); });
}

const uint32_t* LarmorCudaContext::slots(uint32_t n, const std::function<uint32_t(uint32_t)>& slot) { return table(slots_, n, 2 * n, slot); }

void LarmorCudaContext::trim() {
  synchronize();
  plans_.clear();
  for (Tables* const tables : {&phases_, &roots_, &slots_}) {
    for (const auto& [n, on_device] : *tables) memory_.give(on_device);
    tables->clear();
  }
  memory_.trim();
}
