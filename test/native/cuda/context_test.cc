// The plugin's host side on machines that lack something: drivers, devices, cuFFT, memory; what it says, and that nothing stays behind.
#include <cstdlib>
#include <string>
#include <vector>

#include "on_device.h"

namespace {

using namespace larmor::test;
using emulator::machine;

void check_absences() {
  int32_t count = -1;
  machine().driver_error = cudaErrorInsufficientDriver;
  constexpr const char* kTooOld = "CUDA driver version is insufficient for CUDA runtime version (cudaErrorInsufficientDriver): ";
  machine().driver_version = 12040;
  FAIL_WITH(cuda().device_count(&count), LARMOR_CUDA_UNAVAILABLE, std::string(kTooOld) + "the driver is for CUDA 12.4, the plugin needs one for CUDA 13");
  machine().driver_version = 0;
  FAIL_WITH(cuda().device_count(&count), LARMOR_CUDA_UNAVAILABLE, std::string(kTooOld) + "there is no driver");
  machine().driver_version = 13000;
  CHECK(count == 0);
  machine().driver_error = cudaSuccess;
  machine().devices = 0;
  FAIL_WITH(cuda().device_count(&count), LARMOR_CUDA_UNAVAILABLE, "no CUDA-capable device is detected (cudaErrorNoDevice)");
  LarmorCudaContext* context = nullptr;
  FAIL_WITH(cuda().context_create(0, &context), LARMOR_CUDA_UNAVAILABLE, "context_create: cudaGetDeviceCount: no CUDA-capable device is detected");
  FAIL_WITH(cuda().self_test(0), LARMOR_CUDA_UNAVAILABLE, "self_test: cudaGetDeviceCount: no CUDA-capable device is detected");
  machine().devices = 2;
  SUCCEED(cuda().device_count(&count));
  CHECK(count == 2);
  FAIL_WITH(cuda().context_create(2, &context), LARMOR_CUDA_ARGUMENT, "device must be less than 2, got 2");
  FAIL_WITH(cuda().context_create(-1, &context), LARMOR_CUDA_ARGUMENT, "device must be less than 2, got -1");
  CHECK(context == nullptr);
  FAIL_WITH(cuda().context_create(0, nullptr), LARMOR_CUDA_ARGUMENT, "context must not be null");
  FAIL_WITH(cuda().device_count(nullptr), LARMOR_CUDA_ARGUMENT, "count must not be null");
}

/// Lengths that larmor's own passes take do without cuFFT; others say what is missing.
void check_without_cufft() {
  const OnDevice device;
  const DeviceArray<float> x(device, std::vector<float>(2 * 37));
  const auto needs = [&](const std::string& why) {
    SUCCEED(cuda().fft2(device, 0, 1, 1, 36, x, x));
    FAIL_WITH(cuda().fft2(device, 0, 1, 1, 37, x, x), LARMOR_CUDA_UNAVAILABLE, why);
    LarmorCudaDevice about{};
    SUCCEED(cuda().describe_device(0, &about));
    CHECK(about.cufft_version == 0);
    SUCCEED(cuda().self_test(0));
  };
  setenv("LARMOR_CUFFT", "/no/such/libcufft.so", 1);
  needs("fft2: lengths above 4096 or with a prime factor above 31 need cuFFT, which was not found; install it, or name its file in the environment variable LARMOR_CUFFT");
  needs("/no/such/libcufft.so: cannot open shared object file");
  setenv("LARMOR_CUFFT", "libm.so.6", 1);
  needs("libm.so.6 has no function cufftGetVersion");
  unsetenv("LARMOR_CUFFT");
  unsetenv("CUFFT_PATH");
  needs("libcufft.so.12");
  setenv("CUFFT_PATH", LARMOR_FAKE_CUFFT, 1);
  for (const int version : {10900, 13000}) {
    fake_cufft().version = version;
    needs("has cuFFT version " + std::to_string(version));
  }
  fake_cufft().version = 11200;
  SUCCEED(cuda().fft2(device, 0, 1, 1, 37, x, x));
}

void check_description() {
  LarmorCudaDevice device{};
  SUCCEED(cuda().describe_device(1, &device));
  CHECK(std::string(device.name) == "emulated device");
  CHECK(device.major == 7 && device.minor == 5 && device.multiprocessors == 4);
  CHECK(device.driver_version == 13000 && device.runtime_version == 13000 && device.cufft_version == 11200);
  CHECK(device.memory_total == machine().memory && device.memory_free == machine().memory);
  FAIL_WITH(cuda().describe_device(2, &device), LARMOR_CUDA_ARGUMENT, "device must be less than 2");
}

LarmorCudaMemory use(const OnDevice& device) {
  LarmorCudaMemory result{};
  SUCCEED(cuda().memory(device, &result));
  return result;
}

void check_account() {
  const OnDevice device;
  CHECK(use(device).array_bytes == 0);
  {
    const DeviceArray<float> a(device, size_t{10}), b(device, std::vector<float>{1, 2, 3});
    CHECK(use(device).arrays == 2 && use(device).array_bytes == 52 && use(device).work_bytes == 0);
    SUCCEED(cuda().squared_norm(device, 3, b, a));
    CHECK(a.get()[0] == 14);
    CHECK(use(device).work_bytes > 0);
    CHECK(use(device).peak_bytes == use(device).array_bytes + use(device).work_bytes);
    const uint64_t work = use(device).work_bytes;
    for (int i = 0; i < 5; ++i) SUCCEED(cuda().squared_norm(device, 3, b, a));
    CHECK(use(device).work_bytes == work);
    CHECK(machine().used == use(device).array_bytes + use(device).work_bytes);

    SUCCEED(cuda().copy(device, a, b, 8));
    SUCCEED(cuda().fill_zero(device, a + 1, 4));
    CHECK(a.get()[0] == 1 && a.get()[1] == 0);
    FAIL_WITH(cuda().release(device, a + 1), LARMOR_CUDA_ARGUMENT, "not an array of the context");
    FAIL_WITH(cuda().upload(device, nullptr, nullptr, 4), LARMOR_CUDA_ARGUMENT, "must not be null");
  }
  CHECK(use(device).arrays == 0 && use(device).array_bytes == 0);
  SUCCEED(cuda().trim(device));
  CHECK(use(device).work_bytes == 0 && machine().used == 0);
}

void check_out_of_memory() {
  const OnDevice device;
  const size_t all = machine().memory;
  const DeviceArray<float> a(device, std::vector<float>{3, 4}), sum(device, size_t{1});
  SUCCEED(cuda().squared_norm(device, 2, a, sum));
  void* big = nullptr;
  machine().memory = 10000;
  FAIL_WITH(cuda().allocate(device, 3ull << 30, &big), LARMOR_CUDA_MEMORY,
            "cudaMalloc 3.0 GiB: out of memory (cudaErrorMemoryAllocation), 9.8 KiB of 9.8 KiB are free");
  CHECK(big == nullptr && use(device).arrays == 2);
  // Room for it is only where the scratch of the last call is.
  SUCCEED(cuda().squared_norm(device, 2, a, sum));
  SUCCEED(cuda().allocate(device, 9900, &big));
  CHECK(use(device).work_bytes == 0);
  FAIL_WITH(cuda().squared_norm(device, 2, a, sum), LARMOR_CUDA_MEMORY, "squared_norm: cudaMalloc 4.0 KiB: out of memory");
  CHECK(use(device).work_bytes == 0);
  SUCCEED(cuda().release(device, big));
  SUCCEED(cuda().squared_norm(device, 2, a, sum));
  CHECK(sum.get()[0] == 25);
  machine().memory = all;
}

void check_device_failure() {
  const OnDevice device;
  const DeviceArray<float> a(device, std::vector<float>{3, 4});
  machine().launches_until_failure = 0;
  SUCCEED(cuda().scale(device, 2, 2, a));
  FAIL_WITH(cuda().synchronize(device), LARMOR_CUDA_FAILED, "synchronize: cudaStreamSynchronize: unspecified launch failure (cudaErrorLaunchFailure)");
  machine().launches_until_failure = -1;
  SUCCEED(cuda().synchronize(device));
}

void check_table() {
  CHECK(cuda().abi == LARMOR_CUDA_ABI);
  CHECK(cuda().size == sizeof(LarmorCudaTable));
}

}  // namespace

int main() {
  check_table();
  check_absences();
  check_without_cufft();
  check_description();
  check_account();
  check_out_of_memory();
  check_device_failure();
  return finish();
}
