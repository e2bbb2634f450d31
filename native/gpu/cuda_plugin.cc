// Each step that fails leaves its reason; a machine without CUDA is no error.
#include "gpu/cuda_plugin.h"

#include <dlfcn.h>
#include <unistd.h>

#include <map>
#include <mutex>

namespace larmor::gpu {
namespace {

std::mutex opening;
CudaPlugin plugin;
bool opened = false;

struct Failure {
  std::string step, reason;
};

std::string version_of(uint32_t abi, uint32_t size) { return std::to_string(abi) + " with " + std::to_string(size) + " bytes"; }

void expect_platform() {
#if !(defined(__linux__) && defined(__x86_64__))
  throw Failure{"platform", "CUDA is supported on Linux x64 only"};
#endif
}

void expect_driver() {
  if (dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL) == nullptr)
    throw Failure{"driver", std::string("no NVIDIA driver: ") + dlerror()};
}

std::string existing(const std::vector<std::string>& paths) {
  std::string tried;
  for (const std::string& path : paths) {
    if (access(path.c_str(), F_OK) == 0) return path;
    tried += (tried.empty() ? "" : ", ") + path;
  }
  throw Failure{"plugin", "no CUDA plugin at " + tried};
}

const LarmorCudaTable* table_of(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw Failure{"plugin", std::string("cannot load the CUDA plugin: ") + dlerror()};
  const auto entry = reinterpret_cast<LarmorCudaEntry>(dlsym(library, LARMOR_CUDA_ENTRY));
  if (entry == nullptr) throw Failure{"plugin", path + " does not export " LARMOR_CUDA_ENTRY};
  const LarmorCudaTable* const table = entry();
  if (table->abi != LARMOR_CUDA_ABI || table->size != sizeof(LarmorCudaTable))
    throw Failure{"version", path + " has version " + version_of(table->abi, table->size) + ", this addon needs " +
                                 version_of(LARMOR_CUDA_ABI, sizeof(LarmorCudaTable))};
  return table;
}

int32_t devices_of(const LarmorCudaTable* table) {
  int32_t count = 0;
  if (table->device_count(&count) != LARMOR_CUDA_OK) throw Failure{"devices", table->last_error()};
  if (count < 1) throw Failure{"devices", "the driver lists no CUDA device"};
  return count;
}

CudaPlugin open(const std::vector<std::string>& paths) {
  CudaPlugin result;
  try {
    expect_platform();
    expect_driver();
    result.path = existing(paths);
    const LarmorCudaTable* const table = table_of(result.path);
    result.devices = devices_of(table);
    result.table = table;
    result.reason.clear();
  } catch (const Failure& failure) {
    result.failed = failure.step;
    result.reason = failure.reason;
  }
  return result;
}

const char* code_of(LarmorCudaStatus status) {
  if (status == LARMOR_CUDA_ARGUMENT) return "ERR_ARGUMENT";
  return status == LARMOR_CUDA_MEMORY ? "ERR_OUT_OF_MEMORY" : "ERR_DEVICE";
}

}  // namespace

const CudaPlugin& open_cuda(const std::vector<std::string>& paths) {
  const std::lock_guard lock(opening);
  if (!opened) plugin = open(paths);
  opened = true;
  return plugin;
}

const LarmorCudaTable& cuda() {
  const std::lock_guard lock(opening);
  if (plugin.table == nullptr) throw CodedError("ERR_DEVICE", "CUDA is not available: " + plugin.reason);
  return *plugin.table;
}

std::string test_cuda_device(int32_t device) {
  static std::mutex testing;
  static std::map<int32_t, std::string> results;
  const LarmorCudaTable& table = cuda();
  const std::lock_guard lock(testing);
  if (const auto known = results.find(device); known != results.end()) return known->second;
  const bool passed = table.self_test(device) == LARMOR_CUDA_OK;
  return results[device] = passed ? "" : table.last_error();
}

void check_cuda(LarmorCudaStatus status, const char* what) {
  if (status != LARMOR_CUDA_OK) throw CodedError(code_of(status), std::string("CUDA: ") + what + ": " + cuda().last_error());
}

}  // namespace larmor::gpu
