// Iterative reconstruction as one job: no step returns to the event loop.
#include <memory>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/encoding_arguments.h"
#include "addon/job_threads.h"
#include "core/conjugate_gradients.h"
#include "core/network.h"

namespace larmor::addon {
namespace {

/// cgSense(control, sets, coils, ny, nx, maps, mask, kspace, x, threads, prior | undefined, lambda, iterations, tolerance):
/// Promise<[iterations, residual, converged]>. Counts the iterations.
Napi::Value cg_sense(const Napi::CallbackInfo& info) {
  const EncodingArguments a(info);
  const c32* const kspace = complex64(info, 7, "kspace", a.kspace_points());
  c32* const x = complex64(info, 8, "x", a.image_points());
  const size_t threads = count(info, 9, "threads");
  const c32* const prior = info[10].IsUndefined() ? nullptr : complex64(info, 10, "prior", a.image_points());
  const ConjugateGradientOptions options{
      .lambda = number(info, 11, "lambda"), .iterations = count(info, 12, "iterations"), .tolerance = number(info, 13, "tolerance")};
  const auto result = std::make_shared<ConjugateGradientResult>();
  return Job::run(
      info.Env(), info[0], {info[5], info[6], info[7], info[8], info[10]},
      [=](const JobControl& job) {
        const JobThreads parallel(job, threads);
        if (!all_finite(parallel, 2 * a.kspace_points(), &kspace->re))
          throw CodedError("ERR_NOT_FINITE", "cgSense: kspace holds NaN or infinity: check how it was read or scaled");
        const Encoding encoding(a.sizes, a.maps, a.mask);
        encoding.adjoint(parallel, kspace, {&x->re, false});
        const auto normal = [&](const float* from, float* to) { encoding.normal(parallel, {from, false}, {to, false}); };
        *result = conjugate_gradients(parallel, normal, a.image_points(), options, prior, x, [&](size_t done) { job.done(done); });
      },
      [result](Napi::Env env) {
        const Napi::Array values = Napi::Array::New(env, 3);
        values.Set(0u, Napi::Number::New(env, static_cast<double>(result->iterations)));
        values.Set(1u, Napi::Number::New(env, result->residual));
        values.Set(2u, Napi::Boolean::New(env, result->converged));
        return values;
      });
}

}  // namespace

void export_solvers(Napi::Env env, Napi::Object exports) { exports.Set("cgSense", Napi::Function::New(env, cg_sense, "cgSense")); }

}  // namespace larmor::addon
