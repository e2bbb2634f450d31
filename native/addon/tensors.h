// Tensors as JavaScript gives them: element types, shapes and memory; tensors on a device as handles.
#pragma once
#include <napi.h>

#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "addon/args.h"
#include "gpu/cuda_context.h"
#include "ort/session.h"

namespace larmor::addon {

struct Element {
  ort::ElementType type;
  const char* name;
  napi_typedarray_type array;
  size_t bytes;
};
inline constexpr std::array<Element, 6> kElements{{
    {ort::ElementType::float32, "float32", napi_float32_array, 4},
    {ort::ElementType::float64, "float64", napi_float64_array, 8},
    {ort::ElementType::int32, "int32", napi_int32_array, 4},
    {ort::ElementType::int64, "int64", napi_bigint64_array, 8},
    {ort::ElementType::uint8, "uint8", napi_uint8_array, 1},
    {ort::ElementType::boolean, "bool", napi_uint8_array, 1},
}};

inline const Element* find_element(ort::ElementType type) {
  for (const Element& element : kElements)
    if (element.type == type) return &element;
  return nullptr;
}

inline const Element* find_element(const std::string& name) {
  for (const Element& element : kElements)
    if (name == element.name) return &element;
  return nullptr;
}

struct Memory {
  void* data = nullptr;
  size_t bytes = 0;
  bool operator==(const Memory&) const = default;
};

/// The memory of a typed array of any kind; none for any other value.
inline Memory memory_of(const Napi::Value& value) {
  if (!value.IsTypedArray()) return {};
  const auto array = value.As<Napi::TypedArray>();
  Memory memory{.data = nullptr, .bytes = array.ByteLength()};
  napi_get_typedarray_info(array.Env(), array, nullptr, nullptr, &memory.data, nullptr, nullptr);
  return memory;
}

/// Positive integers, and their product as a double, which cannot overflow.
inline std::vector<int64_t> shape_of(Napi::Env env, const char* name, const Napi::Value& value, double& points) {
  if (!value.IsArray()) fail_argument(env, name, "given with a shape");
  const auto lengths = value.As<Napi::Array>();
  std::vector<int64_t> shape;
  points = 1;
  for (uint32_t axis = 0; axis < lengths.Length(); ++axis) {
    const Napi::Value length = lengths[axis];
    const double n = length.IsNumber() ? length.As<Napi::Number>().DoubleValue() : 0;
    if (!(n >= 1 && n <= 9007199254740991.0) || n != std::floor(n)) fail_argument(env, name, "given with a shape of positive integers");
    shape.push_back(static_cast<int64_t>(n));
    points *= n;
  }
  return shape;
}

struct DeviceTensorHandle {
  static constexpr napi_type_tag kTag{0x6f0bb2e9c1574dd8, 0xa4d5e7c80361b92f};
  std::shared_ptr<ort::DeviceTensor> tensor;
};

/// A loaded graph; on a CUDA device with the context that it runs in.
struct SessionHandle {
  static constexpr napi_type_tag kTag{0x09dbd0f14a02da3a, 0x4347f306d64116af};
  std::shared_ptr<ort::Session> session;
  std::shared_ptr<gpu::CudaContext> cuda = nullptr;

  SessionHandle() = default;
  SessionHandle(const SessionHandle&) = delete;
  SessionHandle& operator=(const SessionHandle&) = delete;
  ~SessionHandle() {
    if (cuda == nullptr) return;
    try {
      cuda->use([this](const LarmorCudaTable&, LarmorCudaContext*) { session.reset(); });
    } catch (...) {
      // The stream is gone, and the library would still use it.
      new std::shared_ptr<ort::Session>(std::move(session));
    }
  }
};

}  // namespace larmor::addon
