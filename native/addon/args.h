// Argument checks at the Node-API border: each line reads like the requirement it enforces. They guard against crashes; the
// full checks with explanations are in TypeScript.
#pragma once
#include <napi.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>

#include "core/complex.h"

namespace larmor::addon {

/// Throws a JavaScript Error whose `code` property is one of LarmorErrorCode.
[[noreturn]] inline void fail(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  throw error;
}

[[noreturn]] inline void fail_argument(Napi::Env env, const char* name, const char* wanted) {
  fail(env, "ERR_ARGUMENT", std::string("addon: ") + name + " must be " + wanted);
}

inline void expect_length(Napi::Env env, const char* name, size_t want, size_t got) {
  if (want != got)
    fail(env, "ERR_SHAPE", std::string("addon: ") + name + " must have " + std::to_string(want) + " elements, got " + std::to_string(got));
}

/// A Float32Array of exactly `length` elements.
inline float* float32(const Napi::CallbackInfo& info, size_t index, const char* name, size_t length) {
  const Napi::Value value = info[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float32_array)
    fail_argument(info.Env(), name, "a Float32Array");
  auto array = value.As<Napi::Float32Array>();
  expect_length(info.Env(), name, length, array.ElementLength());
  return array.Data();
}

/// A Float32Array of interleaved re, im holding exactly `points` complex samples.
inline c32* complex64(const Napi::CallbackInfo& info, size_t index, const char* name, size_t points) {
  return reinterpret_cast<c32*>(float32(info, index, name, 2 * points));
}

/// A Float64Array of exactly `length` elements.
inline double* float64(const Napi::CallbackInfo& info, size_t index, const char* name, size_t length) {
  const Napi::Value value = info[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array)
    fail_argument(info.Env(), name, "a Float64Array");
  auto array = value.As<Napi::Float64Array>();
  expect_length(info.Env(), name, length, array.ElementLength());
  return array.Data();
}

/// A Float64Array of interleaved re, im holding exactly `points` complex samples.
inline c64* complex128(const Napi::CallbackInfo& info, size_t index, const char* name, size_t points) {
  return reinterpret_cast<c64*>(float64(info, index, name, 2 * points));
}

/// A Uint8Array of exactly `length` elements.
inline uint8_t* uint8(const Napi::CallbackInfo& info, size_t index, const char* name, size_t length) {
  const Napi::Value value = info[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    fail_argument(info.Env(), name, "a Uint8Array");
  auto array = value.As<Napi::Uint8Array>();
  expect_length(info.Env(), name, length, array.ElementLength());
  return array.Data();
}

/// A Uint32Array of exactly `length` elements.
inline uint32_t* uint32(const Napi::CallbackInfo& info, size_t index, const char* name, size_t length) {
  const Napi::Value value = info[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array)
    fail_argument(info.Env(), name, "a Uint32Array");
  auto array = value.As<Napi::Uint32Array>();
  expect_length(info.Env(), name, length, array.ElementLength());
  return array.Data();
}

/// A Float64Array of these numbers.
inline Napi::Value numbers(Napi::Env env, std::initializer_list<double> values) {
  auto result = Napi::Float64Array::New(env, values.size());
  std::copy(values.begin(), values.end(), result.Data());
  return result;
}

/// A non-negative integer that a double holds exactly.
inline size_t count(const Napi::CallbackInfo& info, size_t index, const char* name) {
  const Napi::Value value = info[index];
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= 9007199254740991.0) || number != static_cast<double>(static_cast<size_t>(number)))
    fail_argument(info.Env(), name, "a non-negative integer");
  return static_cast<size_t>(number);
}

/// The number of points in an array of these sizes; no more than JavaScript counts up to, so that bytes do not overflow either.
inline size_t product(const Napi::CallbackInfo& info, std::initializer_list<size_t> sizes) {
  constexpr size_t kMost = size_t{1} << 53;
  size_t result = 1;
  for (const size_t n : sizes)
    if (__builtin_mul_overflow(result, n, &result) || result > kMost) fail(info.Env(), "ERR_SHAPE", "addon: array sizes overflow");
  return result;
}

inline double number(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsNumber()) fail_argument(info.Env(), name, "a number");
  return info[index].As<Napi::Number>().DoubleValue();
}

inline std::string text(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsString()) fail_argument(info.Env(), name, "a string");
  return info[index].As<Napi::String>().Utf8Value();
}

inline bool boolean(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsBoolean()) fail_argument(info.Env(), name, "a boolean");
  return info[index].As<Napi::Boolean>().Value();
}

}  // namespace larmor::addon
