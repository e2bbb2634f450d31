// CUDA for JavaScript: what there is, and whether it computes.
#include <cstring>

#include "addon/addon.h"
#include "addon/cuda_arguments.h"
#include "addon/job.h"

namespace larmor::addon {
namespace {

/// openCuda(control, paths): Promise<{ failed, reason, path, devices }>; the first call of the process decides.
Napi::Value open(const Napi::CallbackInfo& info) {
  if (!info[1].IsArray()) fail_argument(info.Env(), "paths", "an array of strings");
  const auto array = info[1].As<Napi::Array>();
  std::vector<std::string> paths;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value path = array[i];
    if (!path.IsString()) fail_argument(info.Env(), "paths", "an array of strings");
    paths.push_back(path.As<Napi::String>().Utf8Value());
  }
  return Job::run(
      info.Env(), info[0], {}, [paths](const JobControl&) { gpu::open_cuda(paths); },
      [](Napi::Env env) {
        const gpu::CudaPlugin& plugin = gpu::open_cuda({});
        Napi::Object result = Napi::Object::New(env);
        result.Set("failed", plugin.failed);
        result.Set("reason", plugin.reason);
        result.Set("path", plugin.path);
        result.Set("devices", plugin.devices);
        return result;
      });
}

/// describeCudaDevice(control, device): Promise<{ name, major, minor, ... }>.
Napi::Value describe(const Napi::CallbackInfo& info) {
  const int32_t device = device_number(info);
  const auto found = std::make_shared<LarmorCudaDevice>();
  return Job::run(
      info.Env(), info[0], {}, [=](const JobControl&) { gpu::check_cuda(gpu::cuda().describe_device(device, found.get()), "describe_device"); },
      [found](Napi::Env env) {
        Napi::Object result = Napi::Object::New(env);
        result.Set("name", Napi::String::New(env, found->name, strnlen(found->name, sizeof found->name)));
        result.Set("major", found->major);
        result.Set("minor", found->minor);
        result.Set("multiprocessors", found->multiprocessors);
        result.Set("driverVersion", found->driver_version);
        result.Set("runtimeVersion", found->runtime_version);
        result.Set("cufftVersion", found->cufft_version);
        result.Set("memoryTotal", static_cast<double>(found->memory_total));
        result.Set("memoryFree", static_cast<double>(found->memory_free));
        return result;
      });
}

/// testCudaDevice(control, device): Promise<string>, empty where the self-test passed.
Napi::Value test(const Napi::CallbackInfo& info) {
  const int32_t device = device_number(info);
  const auto reason = std::make_shared<std::string>();
  return Job::run(
      info.Env(), info[0], {}, [=](const JobControl&) { *reason = gpu::test_cuda_device(device); },
      [reason](Napi::Env env) { return Napi::String::New(env, *reason); });
}

}  // namespace

void export_cuda_devices(Napi::Env env, Napi::Object exports) {
  exports.Set("openCuda", Napi::Function::New(env, open, "openCuda"));
  exports.Set("describeCudaDevice", Napi::Function::New(env, describe, "describeCudaDevice"));
  exports.Set("testCudaDevice", Napi::Function::New(env, test, "testCudaDevice"));
}

}  // namespace larmor::addon
