// The pretended CUDA runtime: memory with an account, streams as queues, errors on demand.
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>

#include "blocks.h"
#include "machine.h"

namespace {

using emulator::machine;

std::recursive_mutex mutex;
std::map<const char*, size_t> allocations;
std::set<cudaStream_t> streams;
thread_local cudaError_t last = cudaSuccess;
thread_local int current_device = 0;

cudaError_t failed(cudaError_t error) {
  if (error != cudaSuccess) last = error;
  return error;
}

bool on_device(const void* memory, size_t bytes) {
  const auto* const at = static_cast<const char*>(memory);
  auto after = allocations.upper_bound(at);
  if (after == allocations.begin()) return false;
  --after;
  return at + bytes <= after->first + after->second;
}

cudaError_t enqueue(cudaStream_t stream, std::function<cudaError_t()> work) {
  if (stream == nullptr) return work();
  stream->work.push_back(std::move(work));
  return cudaSuccess;
}

cudaError_t drain(cudaStream_t stream) {
  cudaError_t first = cudaSuccess;
  while (!stream->work.empty()) {
    const auto work = std::move(stream->work.front());
    stream->work.pop_front();
    const cudaError_t error = first == cudaSuccess ? work() : first;
    if (first == cudaSuccess) first = error;
  }
  return first;
}

struct ErrorText {
  cudaError_t error;
  const char *name, *words;
};
constexpr ErrorText kErrors[] = {{cudaSuccess, "cudaSuccess", "no error"},
                                 {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
                                 {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
                                 {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
                                 {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver", "CUDA driver version is insufficient for CUDA runtime version"},
                                 {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
                                 {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
                                 {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"}};
const ErrorText& text_of(cudaError_t error) {
  for (const ErrorText& text : kErrors)
    if (text.error == error) return text;
  return kErrors[1];
}

}  // namespace

namespace emulator {

Machine& machine() {
  static Machine the_machine;
  return the_machine;
}

cudaError_t launch(dim3 grid, dim3 block, size_t shared, cudaStream_t stream, std::function<void()> thread) {
  const std::lock_guard lock(mutex);
  const uint64_t threads = uint64_t{block.x} * block.y * block.z, blocks = uint64_t{grid.x} * grid.y * grid.z;
  if (threads == 0 || threads > 1024 || block.z > 64 || blocks == 0 || grid.x > 0x7fffffff || grid.y > 65535 || grid.z > 65535 || shared > 227 * 1024)
    return failed(cudaErrorInvalidConfiguration);
  ++machine().launches;
  return enqueue(stream, [=] {
    if (machine().launches_until_failure == 0) return cudaErrorLaunchFailure;
    if (machine().launches_until_failure > 0) --machine().launches_until_failure;
    if (!machine().idle) run_grid(grid, block, shared, machine().reversed, thread);
    return cudaSuccess;
  });
}

}  // namespace emulator

const char* cudaGetErrorString(cudaError_t error) { return text_of(error).words; }
const char* cudaGetErrorName(cudaError_t error) { return text_of(error).name; }

cudaError_t cudaGetLastError() {
  const cudaError_t error = last;
  last = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() { return last; }

cudaError_t cudaGetDeviceCount(int* count) {
  *count = machine().driver_error == cudaSuccess ? machine().devices : 0;
  if (machine().driver_error == cudaSuccess && machine().devices == 0) return failed(cudaErrorNoDevice);
  return failed(machine().driver_error);
}

cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= machine().devices) return failed(cudaErrorInvalidDevice);
  current_device = device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"emulated device"};
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount: *value = 4; break;
    case cudaDevAttrComputeCapabilityMajor: *value = 7; break;
    case cudaDevAttrComputeCapabilityMinor: *value = 5; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = 64 << 10; break;
  }
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = machine().driver_version;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* left, size_t* total) {
  const std::lock_guard lock(mutex);
  *total = machine().memory;
  *left = machine().memory - std::min(machine().memory, machine().used);
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  const std::lock_guard lock(mutex);
  if (machine().used + bytes > machine().memory) return failed(cudaErrorMemoryAllocation);
  // Rounded up only as far as the alignment of a device asks, so that the sanitizer sees what reaches beyond.
  void* const got = std::malloc(bytes);
  std::memset(got, 0xff, bytes);
  allocations.emplace(static_cast<const char*>(got), bytes);
  machine().used += bytes;
  machine().allocations = allocations.size();
  *memory = got;
  return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
  const std::lock_guard lock(mutex);
  if (memory == nullptr) return cudaSuccess;
  const auto known = allocations.find(static_cast<const char*>(memory));
  if (known == allocations.end()) return failed(cudaErrorInvalidValue);
  for (const cudaStream_t stream : streams) drain(stream);
  machine().used -= known->second;
  allocations.erase(known);
  machine().allocations = allocations.size();
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  *memory = std::malloc(bytes);
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  const std::lock_guard lock(mutex);
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (bytes > 0 && (on_device(to, bytes) != to_device || on_device(from, bytes) != from_device)) return failed(cudaErrorInvalidValue);
  return enqueue(stream, [=] {
    if (bytes > 0) std::memmove(to, from, bytes);
    return cudaSuccess;
  });
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  const std::lock_guard lock(mutex);
  if (bytes > 0 && !on_device(memory, bytes)) return failed(cudaErrorInvalidValue);
  return enqueue(stream, [=] {
    if (bytes > 0) std::memset(memory, value, bytes);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  const std::lock_guard lock(mutex);
  *stream = new CUstream_st;
  streams.insert(*stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const std::lock_guard lock(mutex);
  drain(stream);
  streams.erase(stream);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const std::lock_guard lock(mutex);
  return failed(drain(stream));
}

cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int value) { return value <= (64 << 10) ? cudaSuccess : failed(cudaErrorInvalidValue); }
