// The CUDA plugin of this process: found, opened and tested once, never closed. Nothing here needs CUDA to be built or loaded.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/coded_error.h"
#include "cuda/plugin.h"

namespace larmor::gpu {

/// How far opening the plugin came.
struct CudaPlugin {
  const LarmorCudaTable* table = nullptr;  // null where CUDA cannot be used
  std::string failed;                      // the step that failed: "platform", "driver", "plugin", "version" or "devices"
  std::string reason = "it was not looked for yet";
  std::string path;  // of the plugin, once there is one
  int32_t devices = 0;
};

/// Opens the driver, then the first of `paths` that exists, and counts devices. The first call decides for the process, whatever later calls
/// name; all threads may call. Never throws: what failed is in the result.
const CudaPlugin& open_cuda(const std::vector<std::string>& paths);

/// The opened plugin's functions. Throws CodedError ERR_DEVICE with the reason where open_cuda() found none, or was not called.
const LarmorCudaTable& cuda();

/// Runs the plugin's self-test on a device, once per device and process: empty where it passed, else the reason.
std::string test_cuda_device(int32_t device);

/// Throws CodedError unless `status` is LARMOR_CUDA_OK; `what` names the call. To be called on the thread that made it.
void check_cuda(LarmorCudaStatus status, const char* what);

}  // namespace larmor::gpu
