// Fourier transforms of stacks of images, and of one axis of an array.
#include "core/fft.h"

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/job_threads.h"

namespace larmor::addon {
namespace {

/// fft2(control, inverse, batch, ny, nx, input, output, threads): output may be input.
Napi::Value fft2(const Napi::CallbackInfo& info) {
  const bool inverse = boolean(info, 1, "inverse");
  const size_t batch = count(info, 2, "batch"), ny = count(info, 3, "ny"), nx = count(info, 4, "nx");
  const size_t points = product(info, {batch, ny, nx});
  const c32* const input = complex64(info, 5, "input", points);
  c32* const output = complex64(info, 6, "output", points);
  const size_t threads = count(info, 7, "threads");
  return Job::run(info.Env(), info[0], {info[5], info[6]},
                  [=](const JobControl& job) { larmor::fft2(JobThreads(job, threads), inverse, batch, ny, nx, input, output); });
}

/// fft1(control, inverse, batch, n, columns, input, output, threads): arrays [batch, n, columns] along n; output may be input.
Napi::Value fft1(const Napi::CallbackInfo& info) {
  const bool inverse = boolean(info, 1, "inverse");
  const size_t batch = count(info, 2, "batch"), n = count(info, 3, "n"), columns = count(info, 4, "columns");
  const size_t points = product(info, {batch, n, columns});
  const c32* const input = complex64(info, 5, "input", points);
  c32* const output = complex64(info, 6, "output", points);
  const size_t threads = count(info, 7, "threads");
  return Job::run(info.Env(), info[0], {info[5], info[6]}, [=](const JobControl& job) {
    const JobThreads parallel(job, threads);
    if (columns == 1)
      fft_rows(parallel, inverse, batch, n, input, output);
    else
      fft_columns(parallel, inverse, batch, n, columns, input, output);
  });
}

}  // namespace

void export_fft(Napi::Env env, Napi::Object exports) {
  exports.Set("fft2", Napi::Function::New(env, fft2, "fft2"));
  exports.Set("fft1", Napi::Function::New(env, fft1, "fft1"));
}

}  // namespace larmor::addon
