// ONNX Runtime's CUDA provider: two libraries beside ONNX Runtime's own, which it loads when first asked.
#pragma once
#include <string>
#include <vector>

#include "ort/api.h"

namespace larmor::ort {

/// Makes a session's graph run on a CUDA device, on the given stream (a cudaStream_t). Options are the provider's own, by its names; `device_id` among
/// them. Throws CodedError ERR_DEVICE with the reason when the provider cannot be loaded or refuses an option.
void append_cuda_provider(OrtSessionOptions* options, const std::vector<std::string>& keys, const std::vector<std::string>& values, void* stream);

/// The memory of a CUDA device, as the library names it. Never freed.
const OrtMemoryInfo* cuda_memory(int device);

/// Why the provider cannot be used on a device; empty where it can.
std::string cuda_provider_fault(int device);

}  // namespace larmor::ort
