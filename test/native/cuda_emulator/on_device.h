// What the tests of the CUDA plugin share: the table, a context on the emulated device, and arrays on it.
#pragma once
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "../check.h"
#include "cuda/plugin.h"
#include "fake_cufft.h"
#include "machine.h"

extern "C" const LarmorCudaTable* larmor_cuda_table();

namespace larmor::test {

inline const LarmorCudaTable& cuda() { return *larmor_cuda_table(); }

/// The pretended cuFFT that LARMOR_CUFFT names for these tests.
inline FakeCufft& fake_cufft() {
  static void* const library = dlopen(LARMOR_FAKE_CUFFT, RTLD_NOW | RTLD_LOCAL);
  return *static_cast<FakeCufft*>(dlsym(library, "fake_cufft"));
}

/// Checks that a call of the table succeeded, and prints its message where it did not.
inline void succeed(LarmorCudaStatus status, const char* what, const char* file, int line) {
  check(status == LARMOR_CUDA_OK, what, file, line);
  if (status != LARMOR_CUDA_OK) std::fprintf(stderr, "  status %d: %s\n", status, cuda().last_error());
}

/// Checks that a call failed with the status and a message that contains `words`.
inline void fail_with(LarmorCudaStatus got, LarmorCudaStatus wanted, const std::string& words, const char* what, const char* file, int line) {
  const bool right = got == wanted && std::string(cuda().last_error()).find(words) != std::string::npos;
  check(right, what, file, line);
  if (!right) std::fprintf(stderr, "  status %d, message: %s; wanted %d and \"%s\"\n", got, cuda().last_error(), wanted, words.c_str());
}

#define SUCCEED(call) larmor::test::succeed((call), #call, __FILE__, __LINE__)
#define FAIL_WITH(call, status, words) larmor::test::fail_with((call), (status), (words), #call, __FILE__, __LINE__)

/// A context, which must hold no array of the tests any more when it ends.
class OnDevice {
 public:
  OnDevice() {
    setenv("LARMOR_CUFFT", LARMOR_FAKE_CUFFT, 1);
    SUCCEED(cuda().context_create(0, &context_));
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;
  ~OnDevice() {
    LarmorCudaMemory use{};
    SUCCEED(cuda().memory(context_, &use));
    CHECK(use.arrays == 0);
    cuda().context_destroy(context_);
    CHECK(emulator::machine().used == 0);
  }
  operator LarmorCudaContext*() const { return context_; }

 private:
  LarmorCudaContext* context_ = nullptr;
};

/// An array of T on the device, of NaN at first unless given values.
template <class T>
class DeviceArray {
 public:
  DeviceArray(const OnDevice& device, size_t count) : device_(device), count_(count) { SUCCEED(cuda().allocate(device, count * sizeof(T), &data_)); }
  DeviceArray(const OnDevice& device, const std::vector<T>& values) : DeviceArray(device, values.size()) { set(values); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() { SUCCEED(cuda().release(device_, data_)); }

  void set(const std::vector<T>& values) const { SUCCEED(cuda().upload(device_, data_, values.data(), values.size() * sizeof(T))); }
  std::vector<T> get() const {
    std::vector<T> values(count_);
    SUCCEED(cuda().download(device_, values.data(), data_, count_ * sizeof(T)));
    return values;
  }
  /// As the table takes it.
  operator float*() const { return static_cast<float*>(data_); }

 private:
  const OnDevice& device_;
  size_t count_;
  void* data_ = nullptr;
};

/// Calls body() with the threads of every block in order, then reversed, and checks that both give the same bits: body returns a vector.
template <class Body>
auto in_both_orders(Body&& body) {
  emulator::machine().reversed = true;
  const auto reversed = body();
  emulator::machine().reversed = false;
  auto result = body();
  CHECK(reversed.size() == result.size() && std::memcmp(reversed.data(), result.data(), result.size() * sizeof(result[0])) == 0);
  return result;
}

}  // namespace larmor::test
