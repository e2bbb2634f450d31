// What is done to complex images before they are combined: partial Fourier, filters, interpolation.
#include <memory>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/job_threads.h"
#include "core/network.h"
#include "core/partial_fourier.h"
#include "core/resample.h"

namespace larmor::addon {
namespace {

/// partialFourier(control, batch, ny, nx, alongY, first, end, images, iterations, tolerance, threads):
/// Promise<[iterations, change, converged]>; homodyne when iterations is 0, else projection onto convex sets. Changes the images.
Napi::Value partial_fourier(const Napi::CallbackInfo& info) {
  const PartialFourier partial{.batch = count(info, 1, "batch"),
                               .ny = count(info, 2, "ny"),
                               .nx = count(info, 3, "nx"),
                               .along_y = boolean(info, 4, "alongY"),
                               .first = count(info, 5, "first"),
                               .end = count(info, 6, "end")};
  const size_t points = product(info, {partial.batch, partial.ny, partial.nx});
  if (partial.first > partial.length() / 2 || partial.end <= partial.length() / 2 || partial.end > partial.length())
    fail_argument(info.Env(), "first, end", "around the centre");
  c32* const images = complex64(info, 7, "images", points);
  const size_t iterations = count(info, 8, "iterations");
  const double tolerance = number(info, 9, "tolerance");
  const size_t threads = count(info, 10, "threads");
  const auto result = std::make_shared<PocsResult>();
  return Job::run(
      info.Env(), info[0], {info[7]},
      [=](const JobControl& job) {
        const JobThreads parallel(job, threads);
        if (!all_finite(parallel, 2 * points, &images->re)) throw CodedError("ERR_NOT_FINITE", "partial Fourier: images hold NaN or infinity");
        if (iterations == 0)
          homodyne(parallel, partial, images);
        else
          *result = pocs(parallel, partial, iterations, tolerance, images, [&](size_t done) { job.done(done); });
      },
      [result](Napi::Env env) {
        const Napi::Array values = Napi::Array::New(env, 3);
        values.Set(0u, Napi::Number::New(env, static_cast<double>(result->iterations)));
        values.Set(1u, Napi::Number::New(env, result->change));
        values.Set(2u, Napi::Boolean::New(env, result->converged));
        return values;
      });
}

/// resample(control, adjoint, batch, ny, nx, my, mx, rowWeights, columnWeights, small, large, threads): from small to large, or back.
Napi::Value resample(const Napi::CallbackInfo& info) {
  const bool adjoint = boolean(info, 1, "adjoint");
  const size_t batch = count(info, 2, "batch"), ny = count(info, 3, "ny"), nx = count(info, 4, "nx"), my = count(info, 5, "my"),
               mx = count(info, 6, "mx");
  if (my < ny || mx < nx) fail_argument(info.Env(), "my, mx", "at least ny, nx");
  const Resampling resampling{batch, ny, nx, my, mx, float32(info, 7, "rowWeights", ny), float32(info, 8, "columnWeights", nx)};
  c32* const small = complex64(info, 9, "small", product(info, {batch, ny, nx}));
  c32* const large = complex64(info, 10, "large", product(info, {batch, my, mx}));
  const size_t threads = count(info, 11, "threads");
  return Job::run(info.Env(), info[0], {info[7], info[8], info[9], info[10]}, [=](const JobControl& job) {
    const JobThreads parallel(job, threads);
    if (adjoint)
      resample_adjoint(parallel, resampling, large, small);
    else
      larmor::resample(parallel, resampling, small, large);
  });
}

}  // namespace

void export_finishing(Napi::Env env, Napi::Object exports) {
  exports.Set("partialFourier", Napi::Function::New(env, partial_fourier, "partialFourier"));
  exports.Set("resample", Napi::Function::New(env, resample, "resample"));
}

}  // namespace larmor::addon
