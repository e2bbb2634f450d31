// Coil sensitivities off the event loop.
#include <algorithm>
#include <memory>
#include <string>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/cuda_arguments.h"
#include "addon/job_threads.h"
#include "core/data_scale.h"
#include "core/espirit.h"
#include "core/low_resolution.h"
#include "core/map_support.h"
#include "core/network.h"
#include "core/scratch.h"
#include "gpu/cuda_espirit.h"

namespace larmor::addon {
namespace {

/// What both ways to maps start from: arguments 1..8 (kspace, coils, ny, nx, mask | undefined, maskIsLines, maxRows, maxColumns).
struct Calibration {
  Kspace kspace;
  Sampling sampling;
  size_t max_rows, max_columns;

  explicit Calibration(const Napi::CallbackInfo& info)
      : kspace{count(info, 2, "coils"), count(info, 3, "ny"), count(info, 4, "nx"), nullptr},
        sampling{nullptr, boolean(info, 6, "maskIsLines")},
        max_rows(count(info, 7, "maxRows")),
        max_columns(count(info, 8, "maxColumns")) {
    const size_t points = product(info, {kspace.coils, kspace.ny, kspace.nx});
    if (points == 0) fail_argument(info.Env(), "kspace", "not empty");
    kspace.data = complex64(info, 1, "kspace", points);
    if (!info[5].IsUndefined()) sampling.data = uint8(info, 5, "mask", sampling.lines ? kspace.nx : kspace.ny * kspace.nx);
  }

  /// The fully sampled centre of at least `least` x `least` samples.
  CalibrationRegion region(const Parallel& parallel, const char* who, size_t least, const char* why) const {
    if (!all_finite(parallel, 2 * kspace.coils * kspace.ny * kspace.nx, &kspace.data->re))
      throw CodedError("ERR_NOT_FINITE", std::string(who) + ": kspace holds NaN or infinity: check how it was read or scaled");
    const CalibrationRegion region =
        calibration_region(kspace.coils, kspace.ny, kspace.nx, kspace.data, sampling, max_rows, max_columns);
    const auto sides = [](size_t rows, size_t columns) { return std::to_string(rows) + " x " + std::to_string(columns); };
    if (region.rows < least || region.columns < least)
      throw CodedError("ERR_CALIBRATION", std::string(who) + ": needs a fully sampled centre of at least " + sides(least, least) + " samples" + why +
                                              ", found " + sides(region.rows, region.columns) +
                                              ": sample more centre lines, choose another way to calibrate, or supply maps");
    return region;
  }
};

/// What a calibration reports beside its arrays: [row, rows, column, columns, crop, unexplained, kernel, folded].
struct Findings {
  CalibrationRegion region;
  double crop, unexplained;
  size_t kernel = 0;
  double folded = 0;

  Napi::Value to_js(Napi::Env env) const {
    const auto real = [](size_t value) { return static_cast<double>(value); };
    return numbers(env, {real(region.row), real(region.rows), real(region.column), real(region.columns), crop, unexplained, real(kernel), folded});
  }
};

/// Weighs unit maps by their values and tells how much of the calibration data they leave unexplained.
void finish(const Parallel& parallel, const Calibration& calibration, size_t sets, bool soft, ImageSize size, const float* values, c32* maps,
            Findings& findings) {
  const size_t coils = calibration.kspace.coils, points = size.points();
  weigh_maps(parallel, sets, coils, points, values, findings.crop, soft, maps);
  const Scratch images(2 * coils * points);
  c32* const x = reinterpret_cast<c32*>(images.data());
  calibration_images(parallel, calibration.kspace, findings.region, false, size, x);
  findings.unexplained = unexplained_share(parallel, sets, coils, points, maps, x);
}

/// espirit(control, kspace, coils, ny, nx, mask | undefined, maskIsLines, maxRows, maxColumns, kernel, mayShrink, threshold, sets,
/// iterations, crop | undefined, soft, outNy, outNx, maps, eigenvalues, threads, context | undefined): Promise<Float64Array of findings>.
/// With the context of a device, that solves the pixels' eigenproblems. A kernel that may
/// shrink is at most half the smaller side of the region. Without a crop it is found. Counts espiritSteps(outNy) steps.
Napi::Value espirit(const Napi::CallbackInfo& info) {
  const Calibration calibration(info);
  const size_t coils = calibration.kspace.coils;
  const EspiritOptions options{.kernel = count(info, 9, "kernel"),
                               .threshold = number(info, 11, "threshold"),
                               .sets = count(info, 12, "sets"),
                               .iterations = count(info, 13, "iterations")};
  if (options.kernel < 1) fail_argument(info.Env(), "kernel", "at least 1");
  if (options.sets == 0 || options.sets > coils) fail_argument(info.Env(), "sets", "between 1 and the number of coils");
  const bool may_shrink = boolean(info, 10, "mayShrink");
  const bool find_crop = info[14].IsUndefined(), soft = boolean(info, 15, "soft");
  const double crop = find_crop ? 0 : number(info, 14, "crop");
  const ImageSize size{count(info, 16, "outNy"), count(info, 17, "outNx")};
  const size_t points = product(info, {size.ny, size.nx});
  if (points == 0) fail_argument(info.Env(), "outNy and outNx", "at least 1");
  c32* const maps = complex64(info, 18, "maps", product(info, {options.sets, coils, points}));
  float* const eigenvalues = float32(info, 19, "eigenvalues", options.sets * points);
  const size_t threads = count(info, 20, "threads");
  const auto context = info[21].IsUndefined() ? nullptr : handle<CudaContextHandle>(info, 21, "context")->context;
  const auto findings = std::make_shared<Findings>();
  return Job::run(
      info.Env(), info[0], {info[1], info[5], info[18], info[19]},
      [=](const JobControl& job) {
        const JobThreads parallel(job, threads);
        const CalibrationRegion region = calibration.region(parallel, "espirit", options.kernel, " (the kernel)");
        EspiritOptions chosen = options;
        if (may_shrink) chosen.kernel = std::max<size_t>(1, std::min({options.kernel, region.rows / 2, region.columns / 2}));
        double folded = 0;
        if (context == nullptr) {
          folded = larmor::espirit(parallel, calibration.kspace, region, chosen, size, maps, eigenvalues, [&](size_t done) { job.done(done); });
        } else {
          const EspiritGrid grid = espirit_grid(parallel, calibration.kspace, region, chosen);
          gpu::espirit_on_device(*context, grid, chosen, size, maps, eigenvalues);
          folded = espirit_folded_share(parallel, grid, chosen, size);
        }
        *findings = {region, find_crop ? automatic_crop(points, eigenvalues) : crop, 0, chosen.kernel, folded};
        finish(parallel, calibration, options.sets, soft, size, eigenvalues, maps, *findings);
      },
      [findings](Napi::Env env) { return findings->to_js(env); });
}

/// lowResolutionMaps(control, kspace, coils, ny, nx, mask | undefined, maskIsLines, maxRows, maxColumns, crop, outNy, outNx, maps, values,
/// threads): Promise<Float64Array of findings>.
Napi::Value low_resolution_maps(const Napi::CallbackInfo& info) {
  const Calibration calibration(info);
  const double crop = number(info, 9, "crop");
  const ImageSize size{count(info, 10, "outNy"), count(info, 11, "outNx")};
  const size_t points = product(info, {size.ny, size.nx});
  if (points == 0) fail_argument(info.Env(), "outNy and outNx", "at least 1");
  c32* const maps = complex64(info, 12, "maps", product(info, {calibration.kspace.coils, points}));
  float* const values = float32(info, 13, "values", points);
  const size_t threads = count(info, 14, "threads");
  const auto findings = std::make_shared<Findings>();
  return Job::run(
      info.Env(), info[0], {info[1], info[5], info[12], info[13]},
      [=](const JobControl& job) {
        const JobThreads parallel(job, threads);
        findings->region = calibration.region(parallel, "lowResolutionMaps", 2, "");
        findings->crop = crop;
        larmor::low_resolution_maps(parallel, calibration.kspace, findings->region, size, maps, values);
        finish(parallel, calibration, 1, false, size, values, maps, *findings);
      },
      [findings](Napi::Env env) { return findings->to_js(env); });
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
  exports.Set("lowResolutionMaps", Napi::Function::New(env, low_resolution_maps, "lowResolutionMaps"));
  exports.Set("espiritSteps", Napi::Function::New(env, espirit_steps, "espiritSteps"));
}

}  // namespace larmor::addon
