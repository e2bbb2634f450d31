// What this build runs on.
#include "addon/addon.h"
#include "core/kernels.h"
#include "core/parallel.h"

namespace larmor::addon {
namespace {

/// platform(): { isa, threads }.
Napi::Value platform(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("isa", kernels().name);
  result.Set("threads", default_threads());
  return result;
}

}  // namespace

void export_platform(Napi::Env env, Napi::Object exports) { exports.Set("platform", Napi::Function::New(env, platform, "platform")); }

}  // namespace larmor::addon
