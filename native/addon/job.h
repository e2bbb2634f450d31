// One piece of work off the event loop. JavaScript and the job share two int32 words, [cancel, done]; JavaScript polls the
// second for progress, so no thread ever calls back into JavaScript and there is nothing to tear down.
#pragma once
#include <napi.h>

#include <atomic>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "core/coded_error.h"

namespace larmor::addon {

/// The job's side of the shared words.
class JobControl {
 public:
  explicit JobControl(int32_t* words) : words_(words) {}
  bool cancelled() const { return std::atomic_ref<int32_t>(words_[0]).load(std::memory_order_relaxed) != 0; }
  void done(size_t steps) const { std::atomic_ref<int32_t>(words_[1]).store(static_cast<int32_t>(steps), std::memory_order_relaxed); }
  /// Throws CodedError ERR_ABORTED once JavaScript has asked to stop; call between coils, slices or iterations.
  void checkpoint() const {
    if (cancelled()) throw CodedError("ERR_ABORTED", "aborted");
  }

 private:
  int32_t* words_;
};

class Job final : public Napi::AsyncWorker {
 public:
  using Body = std::function<void(const JobControl&)>;
  using Result = std::function<Napi::Value(Napi::Env)>;

  /// Queues `body` and returns a promise that resolves to `result(env)` (undefined when absent).
  /// `control` is the Int32Array of two words; `keep` pins every JavaScript value whose memory the body touches.
  /// The body captures raw pointers and sizes only.
  static Napi::Value run(Napi::Env env, const Napi::Value& control, std::initializer_list<Napi::Value> keep, Body body, Result result = {}) {
    if (!control.IsTypedArray() || control.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array ||
        control.As<Napi::TypedArray>().ElementLength() < 2) {
      Napi::Error error = Napi::Error::New(env, "addon: control must be an Int32Array of two elements");
      error.Set("code", Napi::String::New(env, "ERR_ARGUMENT"));
      throw error;
    }
    Job* const job = new Job(env, control.As<Napi::Int32Array>().Data(), std::move(body), std::move(result));
    job->keep_.reserve(keep.size() + 1);
    job->keep_.push_back(Napi::Reference<Napi::Value>::New(control, 1));
    for (const Napi::Value& value : keep)
      if (!value.IsUndefined()) job->keep_.push_back(Napi::Reference<Napi::Value>::New(value, 1));
    const Napi::Promise promise = job->deferred_.Promise();
    job->Queue();
    return promise;
  }

 protected:
  void Execute() override {
    try {
      body_(control_);
    } catch (const CodedError& error) {
      code_ = error.code();
      SetError(error.what());
    } catch (const std::bad_alloc&) {
      code_ = "ERR_OUT_OF_MEMORY";
      SetError("out of memory");
    } catch (const std::exception& error) {
      SetError(error.what());
    }
  }
  void OnOK() override { deferred_.Resolve(result_ ? result_(Env()) : Env().Undefined()); }
  void OnError(const Napi::Error& error) override {
    error.Value().Set("code", Napi::String::New(Env(), code_));
    deferred_.Reject(error.Value());
  }

 private:
  Job(Napi::Env env, int32_t* words, Body body, Result result)
      : Napi::AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), control_(words), body_(std::move(body)), result_(std::move(result)) {}

  Napi::Promise::Deferred deferred_;
  JobControl control_;
  Body body_;
  Result result_;
  std::string code_ = "ERR_INTERNAL";
  std::vector<Napi::Reference<Napi::Value>> keep_;
};

}  // namespace larmor::addon
