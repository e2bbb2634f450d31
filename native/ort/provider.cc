// Appends providers to sessions, and allocates, fills and reads tensors on their devices.
#include "ort/provider.h"

#include <utility>

#include "ort/cuda_provider.h"
#include "ort/session.h"

namespace larmor::ort {

void append_provider(OrtSessionOptions* options, const Provider& provider) {
  if (provider.name == "CUDA") return append_cuda_provider(options, provider.keys, provider.values, provider.stream);
  std::vector<const char*> keys, values;
  for (const std::string& key : provider.keys) keys.push_back(key.c_str());
  for (const std::string& value : provider.values) values.push_back(value.c_str());
  check(api().SessionOptionsAppendExecutionProvider(options, provider.name.c_str(), keys.data(), values.data(), keys.size()), provider.name.c_str(), "ERR_DEVICE");
  // An operator that falls back to the CPU costs two transfers in every run, unnoticed.
  constexpr const char* kNoFallback = "session.disable_cpu_ep_fallback";
  check(api().AddSessionConfigEntry(options, kNoFallback, "1"), kNoFallback);
}

std::unique_lock<std::mutex> exclusive(const std::string& provider) {
  static std::mutex webgpu;
  return provider == "WebGPU" ? std::unique_lock(webgpu) : std::unique_lock<std::mutex>();
}

DeviceMemory::DeviceMemory(std::shared_ptr<const Session> session, const char* name) : session_(std::move(session)) {
  const auto lock = exclusive(provider());
  check(api().CreateMemoryInfo(name, AllocatorType::device, 0, MemoryType::standard, info_.out()), "CreateMemoryInfo", "ERR_DEVICE");
  check(api().CreateAllocator(session_->get(), info_.get(), allocator_.out()), "CreateAllocator", "ERR_DEVICE");
}

DeviceMemory::~DeviceMemory() {
  const auto lock = exclusive(provider());
  allocator_.reset();
}

const std::string& DeviceMemory::provider() const { return session_->provider(); }

DeviceTensor::DeviceTensor(std::shared_ptr<const DeviceMemory> memory, ElementType type, std::vector<int64_t> shape, size_t bytes)
    : memory_(std::move(memory)), type_(type), shape_(std::move(shape)), bytes_(bytes) {}

DeviceTensor::~DeviceTensor() {
  const auto lock = exclusive(memory_->provider());
  value_.reset();
}

OrtValue* DeviceTensor::value() {
  if (value_.get() == nullptr)
    check(api().CreateTensorAsOrtValue(memory_->allocator(), shape_.data(), shape_.size(), type_, value_.out()),
          ("cannot allocate " + std::to_string(bytes_) + " bytes on the device").c_str(), "ERR_OUT_OF_MEMORY");
  return value_.get();
}

namespace {

void copy_value(const OrtValue* from, OrtValue* to, const char* what) { check(api().CopyTensors(environment(), &from, &to, nullptr, 1), what); }

}  // namespace

void DeviceTensor::upload(const void* data) {
  const auto lock = exclusive(memory_->provider());
  copy_value(host_value(type_, shape_, const_cast<void*>(data), bytes_).get(), value(), "upload");
}

void DeviceTensor::download(void* data) {
  const auto lock = exclusive(memory_->provider());
  copy_value(value(), host_value(type_, shape_, data, bytes_).get(), "download");
}

void DeviceTensor::copy(DeviceTensor& from) {
  const auto lock = exclusive(memory_->provider());
  copy_value(from.value(), value(), "copy");
}

}  // namespace larmor::ort
