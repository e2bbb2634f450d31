// Finite differences of stacks of images.
#include "core/finite_differences.h"

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/job_threads.h"

namespace larmor::addon {
namespace {

/// finiteDifferences(control, adjoint, batch, ny, nx, image, differences, threads): from the image, or with `adjoint` into it.
Napi::Value finite_differences(const Napi::CallbackInfo& info) {
  const bool adjoint = boolean(info, 1, "adjoint");
  const size_t batch = count(info, 2, "batch"), ny = count(info, 3, "ny"), nx = count(info, 4, "nx");
  c32* const image = complex64(info, 5, "image", product(info, {batch, ny, nx}));
  c32* const differences = complex64(info, 6, "differences", product(info, {batch, 2, ny, nx}));
  const size_t threads = count(info, 7, "threads");
  return Job::run(info.Env(), info[0], {info[5], info[6]}, [=](const JobControl& job) {
    const JobThreads parallel(job, threads);
    if (adjoint)
      larmor::finite_differences_adjoint(parallel, batch, ny, nx, differences, image);
    else
      larmor::finite_differences(parallel, batch, ny, nx, image, differences);
  });
}

}  // namespace

void export_finite_differences(Napi::Env env, Napi::Object exports) {
  exports.Set("finiteDifferences", Napi::Function::New(env, finite_differences, "finiteDifferences"));
}

}  // namespace larmor::addon
