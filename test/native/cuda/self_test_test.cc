// The plugin's self-test passes where numbers are right and finds a driver that reports success and does nothing, and a library that leaves zeros.
#include "on_device.h"

int main() {
  using namespace larmor::test;
  setenv("LARMOR_CUFFT", LARMOR_FAKE_CUFFT, 1);
  SUCCEED(cuda().self_test(0));
  emulator::machine().idle = true;
  FAIL_WITH(cuda().self_test(0), LARMOR_CUDA_UNAVAILABLE, "is wrong on this device");
  emulator::machine().idle = false;
  fake_cufft().zeros = true;
  FAIL_WITH(cuda().self_test(0), LARMOR_CUDA_UNAVAILABLE, "self_test: fft2 of 3x37 is wrong on this device: relative error 1, at most 1e-05 allowed");
  fake_cufft().zeros = false;
  fake_cufft().fail_execution = 6;
  FAIL_WITH(cuda().self_test(0), LARMOR_CUDA_FAILED, "self_test: fft2: cufftExecC2C: CUFFT_EXEC_FAILED");
  fake_cufft().fail_execution = 0;
  FAIL_WITH(cuda().self_test(1), LARMOR_CUDA_ARGUMENT, "device must be less than 1, got 1");
  CHECK(emulator::machine().used == 0 && fake_cufft().plans == 0);
  return finish();
}
