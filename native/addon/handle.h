// Native objects in JavaScript's hands: an opaque external that shares ownership with the jobs that use it.
#pragma once
#include <napi.h>

#include <memory>
#include <utility>

#include "addon/args.h"

namespace larmor::addon {

/// T names its kind with `static constexpr napi_type_tag kTag` of two random words, so that no other external passes for it.
template <class T>
Napi::Value make_handle(Napi::Env env, std::shared_ptr<T> object) {
  auto external = Napi::External<std::shared_ptr<T>>::New(env, new std::shared_ptr<T>(std::move(object)),
                                                          [](Napi::Env, std::shared_ptr<T>* pointer) { delete pointer; });
  external.TypeTag(&T::kTag);
  return external;
}

/// The owner behind `value`; reset() it to let go before JavaScript collects the handle.
template <class T>
std::shared_ptr<T>& owned(Napi::Env env, const Napi::Value& value, const char* name) {
  if (value.IsExternal()) {
    auto external = value.As<Napi::External<std::shared_ptr<T>>>();
    if (external.CheckTypeTag(&T::kTag)) return *external.Data();
  }
  fail_argument(env, name, "a handle of this addon");
}

/// The owner behind argument `index`.
template <class T>
std::shared_ptr<T>& owner(const Napi::CallbackInfo& info, size_t index, const char* name) {
  return owned<T>(info.Env(), info[index], name);
}

/// The object behind argument `index`.
template <class T>
std::shared_ptr<T> handle(const Napi::CallbackInfo& info, size_t index, const char* name) {
  const std::shared_ptr<T>& object = owner<T>(info, index, name);
  if (object == nullptr) fail(info.Env(), "ERR_CLOSED", std::string("addon: ") + name + " is closed");
  return object;
}

}  // namespace larmor::addon
