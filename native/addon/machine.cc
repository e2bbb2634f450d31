// The ceilings of this machine, measured.
#include "core/machine.h"

#include <memory>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/job_threads.h"

namespace larmor::addon {
namespace {

/// A job that resolves to one number: body(threads of the job).
template <class Body>
Napi::Value measure(const Napi::CallbackInfo& info, size_t threads, Body body) {
  const auto result = std::make_shared<double>(0);
  return Job::run(
      info.Env(), info[0], {}, [=](const JobControl& job) { *result = body(JobThreads(job, threads)); },
      [result](Napi::Env env) { return Napi::Number::New(env, *result); });
}

/// copyBandwidth(control, bytes, threads): Promise<bytes per second>
Napi::Value copy_bandwidth(const Napi::CallbackInfo& info) {
  const size_t bytes = count(info, 1, "bytes"), threads = count(info, 2, "threads");
  return measure(info, threads, [=](const Parallel& parallel) { return larmor::copy_bandwidth(parallel, bytes); });
}

/// multiplyAddPeak(control, threads): Promise<operations per second>
Napi::Value multiply_add_peak(const Napi::CallbackInfo& info) {
  const size_t threads = count(info, 1, "threads");
  return measure(info, threads, [=](const Parallel& parallel) { return larmor::multiply_add_peak(parallel, threads); });
}

}  // namespace

void export_machine(Napi::Env env, Napi::Object exports) {
  exports.Set("copyBandwidth", Napi::Function::New(env, copy_bandwidth, "copyBandwidth"));
  exports.Set("multiplyAddPeak", Napi::Function::New(env, multiply_add_peak, "multiplyAddPeak"));
}

}  // namespace larmor::addon
