// The three places where tensors lie, each checked before a graph may read or write there.
#include "addon/bound_tensors.h"

#include <cmath>
#include <string>
#include <utility>

#include "addon/args.h"
#include "addon/cuda_arguments.h"
#include "addon/handle.h"
#include "ort/cuda_provider.h"

namespace larmor::addon {
namespace {

ort::BoundTensor host_tensor(Napi::Env env, const ort::TensorInfo& declared, const Napi::Value& array, const Napi::Value& shape) {
  const char* const name = declared.name.c_str();
  const Element* const element = find_element(declared.type);
  if (element == nullptr) fail_argument(env, name, "of a supported element type");
  if (!array.IsTypedArray() || array.As<Napi::TypedArray>().TypedArrayType() != element->array)
    fail_argument(env, name, "a typed array of the graph's element type");
  double points = 1;
  const Memory memory = memory_of(array);
  ort::BoundTensor tensor{
      .name = declared.name, .type = declared.type, .shape = shape_of(env, name, shape, points), .data = memory.data, .bytes = memory.bytes};
  if (points * static_cast<double>(element->bytes) != static_cast<double>(memory.bytes))
    fail(env, "ERR_SHAPE", "addon: " + declared.name + " holds " + std::to_string(memory.bytes) + " bytes, which do not fill its shape");
  return tensor;
}

ort::BoundTensor device_tensor(Napi::Env env, const ort::TensorInfo& declared, const std::shared_ptr<DeviceTensorHandle>& handle) {
  const char* const name = declared.name.c_str();
  if (handle == nullptr) fail(env, "ERR_CLOSED", "addon: " + declared.name + " is closed");
  const std::shared_ptr<ort::DeviceTensor>& tensor = handle->tensor;
  if (tensor->type() != declared.type) fail_argument(env, name, "a tensor of the graph's element type");
  return {.name = declared.name, .type = declared.type, .shape = tensor->shape(), .data = nullptr, .bytes = tensor->bytes(), .device = tensor};
}

ort::BoundTensor cuda_tensor(Napi::Env env, const SessionHandle& session, const ort::TensorInfo& declared, const Napi::Array& place, const Napi::Value& shape_value,
                             std::vector<std::shared_ptr<gpu::DeviceMemory>>& held) {
  const char* const name = declared.name.c_str();
  if (session.cuda == nullptr || declared.type != ort::ElementType::float32) fail_argument(env, name, "in memory that the session can use");
  const Napi::Value handle_value = place[0u], offset_value = place[1u];
  const auto& owner = owned<DeviceMemoryHandle>(env, handle_value, name);
  if (owner == nullptr || owner->memory->context() != session.cuda.get()) fail_argument(env, name, "memory of the session's context");
  const double offset = offset_value.IsNumber() ? offset_value.As<Napi::Number>().DoubleValue() : -1;
  double points = 1;
  std::vector<int64_t> shape = shape_of(env, name, shape_value, points);
  const auto floats = static_cast<double>(owner->memory->bytes() / sizeof(float));
  if (!(offset >= 0) || offset != std::floor(offset) || offset + points > floats) fail(env, "ERR_SHAPE", "addon: " + declared.name + " reaches beyond its memory");
  held.push_back(owner->memory);
  return {.name = declared.name,
          .type = declared.type,
          .shape = std::move(shape),
          .data = owner->memory->data() + static_cast<size_t>(offset),
          .bytes = static_cast<size_t>(points) * sizeof(float),
          .where = ort::cuda_memory(session.cuda->device())};
}

}  // namespace

ort::BoundTensor bound_tensor(Napi::Env env, const SessionHandle& session, const ort::TensorInfo& declared, const Napi::Value& place, const Napi::Value& shape,
                              std::vector<std::shared_ptr<gpu::DeviceMemory>>& held) {
  if (place.IsArray()) return cuda_tensor(env, session, declared, place.As<Napi::Array>(), shape, held);
  if (place.IsExternal()) return device_tensor(env, declared, owned<DeviceTensorHandle>(env, place, declared.name.c_str()));
  return host_tensor(env, declared, place, shape);
}

}  // namespace larmor::addon
