// Coil sensitivities off the event loop.
#include <memory>
#include <string>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/job_threads.h"
#include "core/data_scale.h"
#include "core/espirit.h"
#include "core/network.h"

namespace larmor::addon {
namespace {

/// espirit(control, kspace, coils, ny, nx, mask | undefined, maskIsLines, maxRows, maxColumns, kernel, threshold, crop, sets, iterations,
/// maps, eigenvalues, threads): Promise<Uint32Array [row, rows, column, columns]> of the calibration region. Counts espiritSteps(ny) steps.
Napi::Value espirit(const Napi::CallbackInfo& info) {
  const size_t coils = count(info, 2, "coils"), ny = count(info, 3, "ny"), nx = count(info, 4, "nx");
  const size_t points = product(info, {coils, ny, nx});
  const c32* const kspace = complex64(info, 1, "kspace", points);
  Sampling sampling{nullptr, boolean(info, 6, "maskIsLines")};
  if (!info[5].IsUndefined()) sampling.data = uint8(info, 5, "mask", sampling.lines ? nx : ny * nx);
  const size_t max_rows = count(info, 7, "maxRows"), max_columns = count(info, 8, "maxColumns");
  const EspiritOptions options{.kernel = count(info, 9, "kernel"),
                               .threshold = number(info, 10, "threshold"),
                               .crop = number(info, 11, "crop"),
                               .sets = count(info, 12, "sets"),
                               .iterations = count(info, 13, "iterations")};
  if (points == 0) fail_argument(info.Env(), "kspace", "not empty");
  if (options.kernel == 0) fail_argument(info.Env(), "kernel", "at least 1");
  if (options.sets == 0 || options.sets > coils) fail_argument(info.Env(), "sets", "between 1 and the number of coils");
  c32* const maps = complex64(info, 14, "maps", product(info, {options.sets, points}));
  float* const eigenvalues = float32(info, 15, "eigenvalues", options.sets * ny * nx);
  const size_t threads = count(info, 16, "threads");
  const auto region = std::make_shared<CalibrationRegion>();
  return Job::run(
      info.Env(), info[0], {info[1], info[5], info[14], info[15]},
      [=](const JobControl& job) {
        const JobThreads parallel(job, threads);
        if (!all_finite(parallel, 2 * points, &kspace->re))
          throw CodedError("ERR_NOT_FINITE", "espirit: kspace holds NaN or infinity: check how it was read or scaled");
        *region = calibration_region(coils, ny, nx, kspace, sampling, max_rows, max_columns);
        if (region->rows < options.kernel || region->columns < options.kernel)
          throw CodedError("ERR_CALIBRATION", "espirit: needs a fully sampled centre of at least " + std::to_string(options.kernel) + " x " +
                                                  std::to_string(options.kernel) + " samples (the kernel), found " +
                                                  std::to_string(region->rows) + " x " + std::to_string(region->columns) +
                                                  ": sample more centre lines, choose a smaller kernel, or supply maps");
        larmor::espirit(parallel, coils, ny, nx, kspace, *region, options, maps, eigenvalues, [&](size_t done) { job.done(done); });
      },
      [region](Napi::Env env) {
        return counts(env, {region->row, region->rows, region->column, region->columns});
      });
}

/// dataScale(control, kspace, coils, ny, nx, mask, maskIsLines, threads): Promise<number>.
Napi::Value data_scale(const Napi::CallbackInfo& info) {
  const size_t coils = count(info, 2, "coils"), ny = count(info, 3, "ny"), nx = count(info, 4, "nx");
  const size_t points = product(info, {coils, ny, nx});
  if (points == 0) fail_argument(info.Env(), "kspace", "not empty");
  const c32* const kspace = complex64(info, 1, "kspace", points);
  const bool lines = boolean(info, 6, "maskIsLines");
  const Sampling sampling{uint8(info, 5, "mask", lines ? nx : ny * nx), lines};
  const size_t threads = count(info, 7, "threads");
  const auto scale = std::make_shared<float>();
  return Job::run(
      info.Env(), info[0], {info[1], info[5]},
      [=](const JobControl& job) {
        const JobThreads parallel(job, threads);
        if (!all_finite(parallel, 2 * points, &kspace->re))
          throw CodedError("ERR_NOT_FINITE", "dataScale: kspace holds NaN or infinity: check how it was read or scaled");
        *scale = larmor::data_scale(parallel, coils, ny, nx, kspace, sampling);
      },
      [scale](Napi::Env env) { return Napi::Number::New(env, *scale); });
}

Napi::Value espirit_steps(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(larmor::espirit_steps(count(info, 0, "ny"))));
}

}  // namespace

void export_calibration(Napi::Env env, Napi::Object exports) {
  exports.Set("dataScale", Napi::Function::New(env, data_scale, "dataScale"));
  exports.Set("espirit", Napi::Function::New(env, espirit, "espirit"));
  exports.Set("espiritSteps", Napi::Function::New(env, espirit_steps, "espiritSteps"));
}

}  // namespace larmor::addon
