// Tensors in the memory of a device for JavaScript: allocated, filled, read and freed as jobs.
#include <memory>
#include <utility>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/handle.h"
#include "addon/job.h"
#include "addon/tensors.h"
#include "ort/session.h"

namespace larmor::addon {
namespace {

struct DeviceMemoryHandle {
  static constexpr napi_type_tag kTag{0x2b1c8e0f73d94a56, 0x95f2d40b8ae167c3};
  std::shared_ptr<ort::DeviceMemory> memory;
};

/// openDeviceMemory(control, session, name): Promise of a handle.
Napi::Value open_device_memory(const Napi::CallbackInfo& info) {
  const auto session = handle<SessionHandle>(info, 1, "session");
  const std::string name = text(info, 2, "name");
  auto opened = std::make_shared<std::shared_ptr<DeviceMemoryHandle>>();
  return Job::run(
      info.Env(), info[0], {},
      [=](const JobControl&) {
        *opened = std::make_shared<DeviceMemoryHandle>(std::make_shared<ort::DeviceMemory>(session->session, name.c_str()));
      },
      [opened](Napi::Env env) { return make_handle(env, std::move(*opened)); });
}

/// deviceTensor(memory, type, shape): a handle; allocated when first used.
Napi::Value device_tensor(const Napi::CallbackInfo& info) {
  const auto memory = handle<DeviceMemoryHandle>(info, 0, "memory");
  const Element* const element = find_element(text(info, 1, "type"));
  if (element == nullptr) fail_argument(info.Env(), "type", "an element type");
  double points = 1;
  std::vector<int64_t> shape = shape_of(info.Env(), "tensor", info[2], points);
  if (points * static_cast<double>(element->bytes) > 9007199254740991.0) fail(info.Env(), "ERR_SHAPE", "addon: tensor sizes overflow");
  const size_t bytes = static_cast<size_t>(points) * element->bytes;
  auto tensor = std::make_shared<ort::DeviceTensor>(memory->memory, element->type, std::move(shape), bytes);
  return make_handle(info.Env(), std::make_shared<DeviceTensorHandle>(std::move(tensor)));
}

/// The memory of an array of the tensor's element type and size.
void* host_memory(const Napi::CallbackInfo& info, size_t index, const ort::DeviceTensor& tensor) {
  const Napi::Value value = info[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != find_element(tensor.type())->array)
    fail_argument(info.Env(), "data", "a typed array of the tensor's element type");
  const Memory memory = memory_of(value);
  expect_length(info.Env(), "data (bytes)", tensor.bytes(), memory.bytes);
  return memory.data;
}

/// writeDeviceTensor(control, tensor, array)
Napi::Value write_device_tensor(const Napi::CallbackInfo& info) {
  const auto tensor = handle<DeviceTensorHandle>(info, 1, "tensor")->tensor;
  const void* const data = host_memory(info, 2, *tensor);
  return Job::run(info.Env(), info[0], {info[2]}, [=](const JobControl&) { tensor->upload(data); });
}

/// readDeviceTensor(control, tensor, array)
Napi::Value read_device_tensor(const Napi::CallbackInfo& info) {
  const auto tensor = handle<DeviceTensorHandle>(info, 1, "tensor")->tensor;
  void* const data = host_memory(info, 2, *tensor);
  return Job::run(info.Env(), info[0], {info[2]}, [=](const JobControl&) { tensor->download(data); });
}

std::vector<std::shared_ptr<ort::DeviceTensor>> device_tensors(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsArray()) fail_argument(info.Env(), name, "an array of tensors");
  const auto array = info[index].As<Napi::Array>();
  std::vector<std::shared_ptr<ort::DeviceTensor>> tensors;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const auto& owner = owned<DeviceTensorHandle>(info.Env(), array[i], name);
    if (owner == nullptr) fail(info.Env(), "ERR_CLOSED", "addon: a tensor is closed");
    tensors.push_back(owner->tensor);
  }
  return tensors;
}

/// copyDeviceTensors(control, from, to): arrays of tensors of one device, in pairs of one type and shape.
Napi::Value copy_device_tensors(const Napi::CallbackInfo& info) {
  const auto from = device_tensors(info, 1, "from"), to = device_tensors(info, 2, "to");
  expect_length(info.Env(), "to", from.size(), to.size());
  for (size_t i = 0; i < from.size(); ++i)
    if (from[i]->type() != to[i]->type() || from[i]->shape() != to[i]->shape()) fail_argument(info.Env(), "to", "of the others' types and shapes");
  return Job::run(info.Env(), info[0], {}, [=](const JobControl&) {
    for (size_t i = 0; i < from.size(); ++i) to[i]->copy(*from[i]);
  });
}

/// closeDeviceTensor(control, tensor): the memory is freed, off the event loop, as soon as no binding uses it.
Napi::Value close_device_tensor(const Napi::CallbackInfo& info) {
  auto tensor = std::move(owner<DeviceTensorHandle>(info, 1, "tensor"));
  return Job::run(info.Env(), info[0], {}, [tensor = std::move(tensor)](const JobControl&) mutable { tensor.reset(); });
}

}  // namespace

void export_device(Napi::Env env, Napi::Object exports) {
  exports.Set("openDeviceMemory", Napi::Function::New(env, open_device_memory, "openDeviceMemory"));
  exports.Set("deviceTensor", Napi::Function::New(env, device_tensor, "deviceTensor"));
  exports.Set("writeDeviceTensor", Napi::Function::New(env, write_device_tensor, "writeDeviceTensor"));
  exports.Set("readDeviceTensor", Napi::Function::New(env, read_device_tensor, "readDeviceTensor"));
  exports.Set("copyDeviceTensors", Napi::Function::New(env, copy_device_tensors, "copyDeviceTensors"));
  exports.Set("closeDeviceTensor", Napi::Function::New(env, close_device_tensor, "closeDeviceTensor"));
}

}  // namespace larmor::addon
