// Entry point: collects the exports of every file here.
#include "addon/addon.h"

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  larmor::addon::export_calibration(env, exports);
  larmor::addon::export_coils(env, exports);
  larmor::addon::export_cuda_devices(env, exports);
  larmor::addon::export_cuda_memory(env, exports);
  larmor::addon::export_cuda_operators(env, exports);
  larmor::addon::export_cuda_training(env, exports);
  larmor::addon::export_device(env, exports);
  larmor::addon::export_encoding(env, exports);
  larmor::addon::export_fft(env, exports);
  larmor::addon::export_finite(env, exports);
  larmor::addon::export_machine(env, exports);
  larmor::addon::export_finishing(env, exports);
  larmor::addon::export_finite_differences(env, exports);
  larmor::addon::export_memory(env, exports);
  larmor::addon::export_neighbours(env, exports);
  larmor::addon::export_noise(env, exports);
  larmor::addon::export_optimiser(env, exports);
  larmor::addon::export_platform(env, exports);
  larmor::addon::export_proximal(env, exports);
  larmor::addon::export_session(env, exports);
  larmor::addon::export_solvers(env, exports);
  return exports;
}

NODE_API_MODULE(larmor, initialise)
