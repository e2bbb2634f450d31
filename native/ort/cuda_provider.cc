// The provider is loaded by the first call that needs it; what that call says is the reason worth telling.
#include "ort/cuda_provider.h"

#include <map>
#include <mutex>

#include "core/coded_error.h"
#include "ort/library.h"

namespace larmor::ort {
namespace {

using CudaOptions = Owned<&Api::ReleaseCUDAProviderOptions, OrtCUDAProviderOptionsV2>;

/// What the library says, without the place in its source where it says it.
std::string reason_of(const std::string& message) {
  constexpr const char* kMarker = " : FAIL : ";
  const size_t marker = message.rfind(kMarker);
  std::string reason = marker == std::string::npos ? message : message.substr(marker + std::string(kMarker).size());
  while (!reason.empty() && (reason.back() == '\n' || reason.back() == ' ')) reason.pop_back();
  return reason;
}

void expect(OrtStatus* status, const char* what) {
  try {
    check(status, what, "ERR_DEVICE");
  } catch (const CodedError& error) {
    throw CodedError(error.code(), "ONNX Runtime's CUDA provider: " + reason_of(error.what()));
  }
}

}  // namespace

void append_cuda_provider(OrtSessionOptions* options, const std::vector<std::string>& keys, const std::vector<std::string>& values, void* stream) {
  std::vector<const char*> key_pointers, value_pointers;
  for (const std::string& key : keys) key_pointers.push_back(key.c_str());
  for (const std::string& value : values) value_pointers.push_back(value.c_str());
  CudaOptions cuda;
  expect(api().CreateCUDAProviderOptions(cuda.out()), "CreateCUDAProviderOptions");
  expect(api().UpdateCUDAProviderOptions(cuda.get(), key_pointers.data(), value_pointers.data(), keys.size()), "UpdateCUDAProviderOptions");
  expect(api().UpdateCUDAProviderOptionsWithValue(cuda.get(), "user_compute_stream", stream), "UpdateCUDAProviderOptionsWithValue");
  expect(api().SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda.get()), "SessionOptionsAppendExecutionProvider_CUDA_V2");
}

const OrtMemoryInfo* cuda_memory(int device) {
  static std::mutex making;
  static std::map<int, OrtMemoryInfo*> made;
  const std::lock_guard lock(making);
  OrtMemoryInfo*& info = made[device];
  if (info == nullptr) check(api().CreateMemoryInfo("Cuda", AllocatorType::device, device, MemoryType::standard, &info), "CreateMemoryInfo", "ERR_DEVICE");
  return info;
}

std::string cuda_provider_fault(int device) {
  try {
    Owned<&Api::ReleaseSessionOptions, OrtSessionOptions> options;
    check(api().CreateSessionOptions(options.out()), "CreateSessionOptions");
    append_cuda_provider(options.get(), {"device_id"}, {std::to_string(device)}, nullptr);
    return "";
  } catch (const CodedError& error) {
    return error.what();
  }
}

}  // namespace larmor::ort
