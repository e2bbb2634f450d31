// What each file of the addon adds to its exports.
#pragma once
#include <napi.h>

namespace larmor::addon {

void export_calibration(Napi::Env env, Napi::Object exports);
void export_coils(Napi::Env env, Napi::Object exports);
void export_cuda_devices(Napi::Env env, Napi::Object exports);
void export_cuda_memory(Napi::Env env, Napi::Object exports);
void export_cuda_operators(Napi::Env env, Napi::Object exports);
void export_cuda_training(Napi::Env env, Napi::Object exports);
void export_device(Napi::Env env, Napi::Object exports);
void export_encoding(Napi::Env env, Napi::Object exports);
void export_fft(Napi::Env env, Napi::Object exports);
void export_finite(Napi::Env env, Napi::Object exports);
void export_machine(Napi::Env env, Napi::Object exports);
void export_finishing(Napi::Env env, Napi::Object exports);
void export_finite_differences(Napi::Env env, Napi::Object exports);
void export_memory(Napi::Env env, Napi::Object exports);
void export_neighbours(Napi::Env env, Napi::Object exports);
void export_noise(Napi::Env env, Napi::Object exports);
void export_optimiser(Napi::Env env, Napi::Object exports);
void export_platform(Napi::Env env, Napi::Object exports);
void export_proximal(Napi::Env env, Napi::Object exports);
void export_session(Napi::Env env, Napi::Object exports);
void export_solvers(Napi::Env env, Napi::Object exports);

}  // namespace larmor::addon
