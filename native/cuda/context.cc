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
  larmor::cuda::cufft();
  check(cudaSetDevice(device), "cudaSetDevice");
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  return stream;
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

template <class Angle>
const float2* LarmorCudaContext::table(Tables& tables, uint32_t n, Angle&& angle) {
  const auto known = tables.find(n);
  if (known != tables.end()) return known->second;
  std::vector<float2> values(n);
  for (uint64_t j = 0; j < n; ++j) {
    const double turned = std::numbers::pi * static_cast<double>(angle(j)) / n;
    values[j] = {static_cast<float>(std::cos(turned)), static_cast<float>(std::sin(turned))};
  }
  auto* const on_device = static_cast<float2*>(memory_.take(n * sizeof(float2)));
  tables.emplace(n, on_device);
  upload(on_device, values.data(), n * sizeof(float2));
  return on_device;
}

// Angles are taken modulo the whole turn of 2 n while they are integers, so that they are exact.
const float2* LarmorCudaContext::centring_phases(uint32_t n) {
  const uint64_t c = n / 2, turn = 2 * static_cast<uint64_t>(n);
  return table(phases_, n, [=](uint64_t j) { return (2 * c * j + turn * c - c * c) % turn; });
}

const float2* LarmorCudaContext::roots(uint32_t n) {
  const uint64_t turn = 2 * static_cast<uint64_t>(n);
  return table(roots_, n, [=](uint64_t k) { return turn - 2 * k; });
}

void LarmorCudaContext::trim() {
  synchronize();
  plans_.clear();
  for (Tables* const tables : {&phases_, &roots_}) {
    for (const auto& [n, on_device] : *tables) memory_.give(on_device);
    tables->clear();
  }
  memory_.trim();
}
