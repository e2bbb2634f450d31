// What devices there are, and whether everything to use them is here.
#include <cstdio>

#include "cuda/cufft.h"
#include "cuda/devices.h"
#include "cuda/entries.h"
#include "cuda/runtime.h"

namespace larmor::cuda {

namespace {

/// What the runtime finds too old, or missing, which is the same to it.
std::string driver_text() {
  int driver = 0, runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  if (driver == 0) return ": there is no driver";
  return text(": the driver is for CUDA ", driver / 1000, ".", driver % 1000 / 10, ", the plugin needs one for CUDA ", runtime / 1000);
}

}  // namespace

int count_devices() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    cudaGetLastError();
    const std::string why = error == cudaErrorInsufficientDriver ? driver_text() : "";
    throw Failure(LARMOR_CUDA_UNAVAILABLE, text("cudaGetDeviceCount: ", cudaGetErrorString(error), " (", cudaGetErrorName(error), ")", why));
  }
  if (count == 0) throw Failure(LARMOR_CUDA_UNAVAILABLE, "no CUDA device");
  return count;
}

namespace {

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
  return value;
}

}  // namespace

LarmorCudaStatus device_count(int32_t* count) {
  return guarded("device_count", [&] {
    require(count != nullptr, "count must not be null");
    *count = 0;
    *count = count_devices();
  });
}

LarmorCudaStatus describe_device(int32_t device, LarmorCudaDevice* description) {
  return guarded("describe_device", [&] {
    require(description != nullptr, "description must not be null");
    const int devices = count_devices();
    require(device >= 0 && device < devices, "device must be less than ", devices, ", got ", device);
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    LarmorCudaDevice result{};
    std::snprintf(result.name, sizeof result.name, "%s", properties.name);
    result.major = attribute(cudaDevAttrComputeCapabilityMajor, device);
    result.minor = attribute(cudaDevAttrComputeCapabilityMinor, device);
    result.multiprocessors = attribute(cudaDevAttrMultiProcessorCount, device);
    check(cudaDriverGetVersion(&result.driver_version), "cudaDriverGetVersion");
    check(cudaRuntimeGetVersion(&result.runtime_version), "cudaRuntimeGetVersion");
    result.cufft_version = cufft_version();
    size_t left = 0, total = 0;
    check(cudaSetDevice(device), "cudaSetDevice");
    check(cudaMemGetInfo(&left, &total), "cudaMemGetInfo");
    result.memory_free = left;
    result.memory_total = total;
    *description = result;
  });
}

}  // namespace larmor::cuda
