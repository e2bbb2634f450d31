// ONNX Runtime with a stand-in for its CUDA provider: the library that STAND_IN_ONNXRUNTIME names, but graphs for CUDA run on the CPU's nodes, and
// the memory of CUDA devices is the host's, as the reference plugin has it. So all above the library is tested as it is where there is no GPU.
// STAND_IN_FAILURE="device:run:message" makes every run of a device fail from the named one on, counted from 1; run 0 is loading a graph.
#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "ort/api.h"

namespace larmor::ort {

struct OrtCUDAProviderOptionsV2 {
  int device = 0;
  bool has_stream = false;
};

namespace {

constexpr size_t kFunctions = 387;  // up to CopyTensors

Api real;
std::mutex counting;
std::map<const OrtSessionOptions*, int> device_of_options;
std::map<const OrtSession*, int> device_of_session;
std::map<int, int> runs;

OrtStatus* failure(const std::string& message) { return real.CreateStatus(ErrorCode::fail, message.c_str()); }

/// The failure asked for, if it is of this device and of this run or an earlier one.
OrtStatus* failure_of(int device, int run) {
  const char* const asked = std::getenv("STAND_IN_FAILURE");
  if (asked == nullptr) return nullptr;
  char* rest = nullptr;
  const long failing = std::strtol(asked, &rest, 10), first = std::strtol(rest + 1, &rest, 10);
  return failing == device && run >= first ? failure(rest + 1) : nullptr;
}

OrtStatus* create_options(OrtCUDAProviderOptionsV2** options) {
  *options = new OrtCUDAProviderOptionsV2;
  return nullptr;
}

void release_options(OrtCUDAProviderOptionsV2* options) { delete options; }

OrtStatus* update_options(OrtCUDAProviderOptionsV2* options, const char* const* keys, const char* const* values, size_t count) {
  for (size_t i = 0; i < count; ++i)
    if (std::strcmp(keys[i], "device_id") == 0) options->device = std::atoi(values[i]);
  return nullptr;
}

OrtStatus* set_stream(OrtCUDAProviderOptionsV2* options, const char* key, void*) {
  options->has_stream = std::strcmp(key, "user_compute_stream") == 0;
  return nullptr;
}

OrtStatus* append_cuda(OrtSessionOptions* options, const OrtCUDAProviderOptionsV2* cuda) {
  if (!cuda->has_stream) return failure("stand-in: graphs for CUDA need a stream");
  const std::lock_guard lock(counting);
  device_of_options[options] = cuda->device;
  return nullptr;
}

void release_session_options(OrtSessionOptions* options) {
  {
    const std::lock_guard lock(counting);
    device_of_options.erase(options);
  }
  real.ReleaseSessionOptions(options);
}

OrtStatus* create_session(const OrtEnv* env, const void* model, size_t bytes, const OrtSessionOptions* options, OrtSession** session) {
  const std::lock_guard lock(counting);
  const auto device = device_of_options.find(options);
  if (device == device_of_options.end()) return real.CreateSessionFromArray(env, model, bytes, options, session);
  if (OrtStatus* const failed = failure_of(device->second, 0)) return failed;
  OrtStatus* const status = real.CreateSessionFromArray(env, model, bytes, options, session);
  if (status == nullptr) device_of_session[*session] = device->second;
  return status;
}

void release_session(OrtSession* session) {
  {
    const std::lock_guard lock(counting);
    device_of_session.erase(session);
  }
  real.ReleaseSession(session);
}

OrtStatus* run(OrtSession* session, const OrtRunOptions* options, const char* const* input_names, const OrtValue* const* inputs,
                    size_t input_count, const char* const* output_names, size_t output_count, OrtValue** outputs) {
  {
    const std::lock_guard lock(counting);
    if (const auto found = device_of_session.find(session); found != device_of_session.end()) {
      const int device = found->second;
      if (OrtStatus* const failed = failure_of(device, ++runs[device])) return failed;
    }
  }
  return real.Run(session, options, input_names, inputs, input_count, output_names, output_count, outputs);
}

/// Operators for CUDA's nodes are called on the CPU's.
OrtStatus* add_operator(OrtCustomOpDomain* domain, const OrtCustomOp* op) {
  const_cast<OrtCustomOp*>(op)->GetExecutionProviderType = [](const OrtCustomOp*) -> const char* { return nullptr; };
  return real.CustomOpDomain_Add(domain, op);
}

OrtStatus* create_memory_info(const char* name, AllocatorType allocator, int device, MemoryType type, OrtMemoryInfo** info) {
  if (std::strcmp(name, "Cuda") == 0) return real.CreateMemoryInfo("Cpu", allocator, 0, type, info);
  return real.CreateMemoryInfo(name, allocator, device, type, info);
}

const OrtApiBase* real_base() {
  void* const library = dlopen(std::getenv("STAND_IN_ONNXRUNTIME"), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) std::abort();
  return reinterpret_cast<const OrtApiBase* (*)()>(dlsym(library, "OrtGetApiBase"))();
}

template <class Function>
void put(std::vector<void*>& table, size_t index, Function* function) {
  table[index] = reinterpret_cast<void*>(function);
}

void* const* get_api(uint32_t version) {
  static const std::vector<void*> functions = [version] {
    void* const* const theirs = real_base()->GetApi(version);
#define LARMOR_ORT_READ(index, name, result, ...) real.name = reinterpret_cast<result (*)(__VA_ARGS__)>(theirs[index]);
    LARMOR_ORT_FUNCTIONS(LARMOR_ORT_READ)
#undef LARMOR_ORT_READ
    std::vector<void*> table(theirs, theirs + kFunctions);
    put(table, 8, create_session);
    put(table, 9, run);
    put(table, 27, add_operator);
    put(table, 68, create_memory_info);
    put(table, 95, release_session);
    put(table, 100, release_session_options);
    put(table, 204, append_cuda);
    put(table, 205, create_options);
    put(table, 206, update_options);
    put(table, 208, release_options);
    put(table, 263, set_stream);
    return table;
  }();
  return functions.data();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const OrtApiBase* OrtGetApiBase() {
  static const OrtApiBase base{get_api, real_base()->GetVersionString};
  return &base;
}

}  // namespace larmor::ort
