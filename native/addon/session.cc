// ONNX Runtime for JavaScript: sessions and bindings are opaque handles, loading and runs are jobs.
#include "ort/session.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <memory>
#include <string_view>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/bound_tensors.h"
#include "addon/cuda_arguments.h"
#include "addon/handle.h"
#include "addon/job.h"
#include "addon/tensors.h"
#include "ort/cuda_compute.h"
#include "ort/cuda_provider.h"
#include "ort/library.h"

namespace larmor::addon {
namespace {

/// A binding and where it expects its memory: arrays that JavaScript has moved elsewhere must not be written to.
struct BindingHandle {
  static constexpr napi_type_tag kTag{0x349a5018e1c83ae1, 0x5998e5de73f101ae};
  ort::Binding binding;
  std::vector<Memory> memory;
  std::vector<std::shared_ptr<gpu::DeviceMemory>> held;
};

Napi::Value describe(Napi::Env env, const std::vector<ort::TensorInfo>& tensors) {
  Napi::Array result = Napi::Array::New(env, tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Element* const element = find_element(tensors[i].type);
    Napi::Array shape = Napi::Array::New(env, tensors[i].shape.size());
    for (size_t axis = 0; axis < tensors[i].shape.size(); ++axis) shape.Set(axis, static_cast<double>(tensors[i].shape[axis]));
    Napi::Object info = Napi::Object::New(env);
    info.Set("name", tensors[i].name);
    info.Set("type", element == nullptr ? "unsupported" : element->name);
    info.Set("shape", shape);
    result.Set(i, info);
  }
  return result;
}

/// openRuntime(control, library): Promise of the library's version.
Napi::Value open_runtime(const Napi::CallbackInfo& info) {
  const std::string library = text(info, 1, "library");
  return Job::run(info.Env(), info[0], {}, [library](const JobControl&) { ort::open_library(library); },
                  [](Napi::Env env) -> Napi::Value { return Napi::String::New(env, ort::library_version()); });
}

std::vector<std::string> texts(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsArray()) fail_argument(info.Env(), name, "an array of strings");
  const auto array = info[index].As<Napi::Array>();
  std::vector<std::string> result;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value value = array[i];
    if (!value.IsString()) fail_argument(info.Env(), name, "an array of strings");
    result.push_back(value.As<Napi::String>().Utf8Value());
  }
  return result;
}

/// Loads a graph; in a CUDA context with the operators of its plugin.
void load(SessionHandle& handle, const void* model, size_t bytes, ort::SessionOptions options) {
  if (handle.cuda == nullptr) {
    handle.session = std::make_shared<ort::Session>(model, bytes, options);
    return;
  }
  handle.cuda->use([&](const LarmorCudaTable& table, LarmorCudaContext* context) {
    options.provider.operators = std::make_shared<const ort::OperatorSet>(ort::cuda_target({&table, context}));
    options.provider.stream = table.context_stream(context);
    handle.session = std::make_shared<ort::Session>(model, bytes, options);
  });
}

/// createSession(control, library, model, threads, optimization, logSeverity, provider, keys, values, cudaContext): Promise of { handle, inputs,
/// outputs }; the provider is empty for the CPU, the context undefined where the plugin computes nothing.
Napi::Value create_session(const Napi::CallbackInfo& info) {
  const std::string library = text(info, 1, "library");
  if (!info[2].IsTypedArray() || info[2].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    fail_argument(info.Env(), "model", "a Uint8Array");
  const auto array = info[2].As<Napi::Uint8Array>();
  const uint8_t* const model = array.Data();
  const size_t bytes = array.ByteLength();
  const ort::SessionOptions options{.threads = static_cast<int>(count(info, 3, "threads")),
                                    .optimization = static_cast<int>(count(info, 4, "optimization")),
                                    .log_severity = static_cast<int>(count(info, 5, "logSeverity")),
                                    .provider = {.name = text(info, 6, "provider"), .keys = texts(info, 7, "keys"), .values = texts(info, 8, "values")}};
  expect_length(info.Env(), "values", options.provider.keys.size(), options.provider.values.size());
  const auto cuda = info[9].IsUndefined() ? nullptr : handle<CudaContextHandle>(info, 9, "cudaContext")->context;
  auto created = std::make_shared<std::shared_ptr<SessionHandle>>();
  return Job::run(
      info.Env(), info[0], {array},
      [=](const JobControl& control) {
        control.checkpoint();
        ort::open_library(library);
        *created = std::make_shared<SessionHandle>();
        (*created)->cuda = cuda;
        load(**created, model, bytes, options);
        control.checkpoint();
      },
      [created](Napi::Env env) -> Napi::Value {
        Napi::Object result = Napi::Object::New(env);
        result.Set("inputs", describe(env, (*created)->session->inputs()));
        result.Set("outputs", describe(env, (*created)->session->outputs()));
        result.Set("handle", make_handle(env, std::move(*created)));
        return result;
      });
}

/// bindSession(session, arrays, shapes): the handle of a binding. Arrays and shapes stand in the order of the session's
/// inputs, then its outputs; an output that is not wanted is undefined in both.
Napi::Value bind_session(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto session = handle<SessionHandle>(info, 0, "session");
  const auto& inputs = session->session->inputs();
  const auto& outputs = session->session->outputs();
  if (!info[1].IsArray() || !info[2].IsArray()) fail_argument(env, "arrays and shapes", "arrays");
  const auto arrays = info[1].As<Napi::Array>(), shapes = info[2].As<Napi::Array>();
  expect_length(env, "arrays", inputs.size() + outputs.size(), arrays.Length());
  expect_length(env, "shapes", inputs.size() + outputs.size(), shapes.Length());

  std::vector<ort::BoundTensor> bound_inputs, bound_outputs;
  std::vector<Memory> memory;
  std::vector<std::shared_ptr<gpu::DeviceMemory>> held;
  for (uint32_t i = 0; i < arrays.Length(); ++i) {
    const Napi::Value array = arrays[i], shape = shapes[i];
    const bool is_input = i < inputs.size();
    if (!is_input && array.IsUndefined()) {
      memory.emplace_back();
      continue;
    }
    auto& side = is_input ? bound_inputs : bound_outputs;
    const ort::TensorInfo& declared = is_input ? inputs[i] : outputs[i - inputs.size()];
    side.push_back(bound_tensor(env, *session, declared, array, shape, held));
    memory.push_back(memory_of(array));
  }
  try {
    return make_handle(env, std::make_shared<BindingHandle>(ort::Binding(bound_inputs, bound_outputs), std::move(memory), std::move(held)));
  } catch (const CodedError& error) {
    fail(env, error.code().c_str(), error.what());
  }
}

/// runBinding(control, session, binding, arrays): Promise<void>; `arrays` are those of bindSession.
Napi::Value run_binding(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto session = handle<SessionHandle>(info, 1, "session");
  const auto binding = handle<BindingHandle>(info, 2, "binding");
  if (!info[3].IsArray()) fail_argument(env, "arrays", "an array");
  const auto arrays = info[3].As<Napi::Array>();
  expect_length(env, "arrays", binding->memory.size(), arrays.Length());
  for (uint32_t i = 0; i < arrays.Length(); ++i) {
    if (memory_of(arrays[i]) != binding->memory[i])
      fail(env, "ERR_ARGUMENT", "addon: a bound array was transferred or resized; bind the tensors anew");
  }
  binding->binding.rearm();
  return Job::run(env, info[0], {arrays}, [session, binding](const JobControl& control) mutable {
    const auto held = std::move(session);  // a session closed meanwhile is freed here, off the event loop
    control.checkpoint();
    if (held->cuda == nullptr) return binding->binding.run(*held->session);
    held->cuda->use([&](const LarmorCudaTable&, LarmorCudaContext*) { binding->binding.run(*held->session); });
  });
}

/// cudaProviderFault(control, library, device): Promise<why ONNX Runtime cannot use the device; empty where it can>.
Napi::Value cuda_provider_fault(const Napi::CallbackInfo& info) {
  const std::string library = text(info, 1, "library");
  const auto device = static_cast<int>(count(info, 2, "device"));
  const auto fault = std::make_shared<std::string>();
  return Job::run(
      info.Env(), info[0], {},
      [=](const JobControl&) {
        ort::open_library(library);
        *fault = ort::cuda_provider_fault(device);
      },
      [fault](Napi::Env env) -> Napi::Value { return Napi::String::New(env, *fault); });
}

/// terminateBinding(binding): the run under way ends with an error at its graph's next node.
void terminate_binding(const Napi::CallbackInfo& info) { handle<BindingHandle>(info, 0, "binding")->binding.terminate(); }

/// closeSession(control, session): Promise<void>; the session is freed, off the event loop, as soon as no run uses it.
Napi::Value close_session(const Napi::CallbackInfo& info) {
  auto session = std::move(owner<SessionHandle>(info, 1, "session"));
  return Job::run(info.Env(), info[0], {}, [session = std::move(session)](const JobControl&) mutable {
    session.reset();
#ifdef __GLIBC__
    malloc_trim(0);  // glibc keeps freed memory of worker threads otherwise: a service would grow from session to session
#endif
  });
}

}  // namespace

void export_session(Napi::Env env, Napi::Object exports) {
  exports.Set("openRuntime", Napi::Function::New(env, open_runtime, "openRuntime"));
  exports.Set("cudaProviderFault", Napi::Function::New(env, cuda_provider_fault, "cudaProviderFault"));
  exports.Set("createSession", Napi::Function::New(env, create_session, "createSession"));
  exports.Set("bindSession", Napi::Function::New(env, bind_session, "bindSession"));
  exports.Set("runBinding", Napi::Function::New(env, run_binding, "runBinding"));
  exports.Set("terminateBinding", Napi::Function::New(env, terminate_binding, "terminateBinding"));
  exports.Set("closeSession", Napi::Function::New(env, close_session, "closeSession"));
}

}  // namespace larmor::addon
