// Execution providers beside the CPU's, and the memory of the devices they compute on.
#pragma once
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "ort/api.h"
#include "ort/custom_ops.h"
#include "ort/library.h"

namespace larmor::ort {

struct Provider {
  std::string name;  // as the library calls it, such as "WebGPU"; empty for the CPU alone
  std::vector<std::string> keys, values;
  void* stream = nullptr;  // for "CUDA": the stream to run on
  // The operators that its nodes run; null for those of the CPU.
  std::shared_ptr<const OperatorSet> operators = nullptr;
};

/// Makes a session's graph run on the provider's device, all of it: a session whose graph holds an operator that the provider lacks does not load.
void append_provider(OrtSessionOptions* options, const Provider& provider);

/// To be held around every call that can reach a provider's device. All sessions on WebGPU share one queue of commands, which is not
/// safe to use from two threads.
std::unique_lock<std::mutex> exclusive(const std::string& provider);

class Session;

/// The memory of a device, as the allocator of a session there gives it out. Every session of the same provider can use it.
class DeviceMemory {
 public:
  /// `name` as the library calls this memory, such as "WebGPU_Buf". The session is kept as long as the memory is in use.
  DeviceMemory(std::shared_ptr<const Session> session, const char* name);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  const std::string& provider() const;
  OrtAllocator* allocator() const { return allocator_.get(); }

 private:
  std::shared_ptr<const Session> session_;
  Owned<&Api::ReleaseMemoryInfo, OrtMemoryInfo> info_;
  Owned<&Api::ReleaseAllocator, OrtAllocator> allocator_;
};

/// A tensor in the memory of a device, allocated when first used; its contents are undefined at first. Copies to and from the host wait for
/// the device. All calls but the constructor may wait for a run under way.
class DeviceTensor {
 public:
  DeviceTensor(std::shared_ptr<const DeviceMemory> memory, ElementType type, std::vector<int64_t> shape, size_t bytes);
  ~DeviceTensor();
  DeviceTensor(const DeviceTensor&) = delete;
  DeviceTensor& operator=(const DeviceTensor&) = delete;

  ElementType type() const { return type_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  size_t bytes() const { return bytes_; }

  /// Whoever calls holds `exclusive` of the provider. Throws CodedError ERR_OUT_OF_MEMORY.
  OrtValue* value();
  /// `bytes()` of host memory each.
  void upload(const void* data);
  void download(void* data);
  /// Takes the values of another tensor of the same device, type and shape, in order with what runs there.
  void copy(DeviceTensor& from);

 private:
  std::shared_ptr<const DeviceMemory> memory_;
  Owned<&Api::ReleaseValue, OrtValue> value_;
  ElementType type_;
  std::vector<int64_t> shape_;
  size_t bytes_;
};

}  // namespace larmor::ort
