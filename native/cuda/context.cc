// The life of a context, and the copies it waits for.
#include "cuda/context.h"

#include <cmath>
#include <numbers>
#include <vector>

namespace {

cudaStream_t create_stream(int device) {
  using larmor::cuda::check;
  int devices = 0;
  check(cudaGetDeviceCount(&devices), "cudaGetDeviceCount");
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

const float2* LarmorCudaContext::centring_phases(uint32_t n) {
  const auto known = phases_.find(n);
  if (known != phases_.end()) return known->second;
  // In units of pi / n and modulo 2 n, so that the angle is exact.
  const uint64_t c = n / 2, turn = 2 * static_cast<uint64_t>(n);
  std::vector<float2> phases(n);
  for (uint64_t j = 0; j < n; ++j) {
    const double angle = std::numbers::pi * static_cast<double>((2 * c * j + turn * c - c * c) % turn) / n;
    phases[j] = {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
  }
  auto* const table = static_cast<float2*>(memory_.take(n * sizeof(float2)));
  phases_.emplace(n, table);
  upload(table, phases.data(), n * sizeof(float2));
  return table;
}

void LarmorCudaContext::trim() {
  synchronize();
  plans_.clear();
  for (const auto& [n, table] : phases_) memory_.give(table);
  phases_.clear();
  memory_.trim();
}
