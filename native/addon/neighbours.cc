// Filling k-space from its neighbours, off the event loop.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/job_threads.h"
#include "core/grappa.h"
#include "core/network.h"
#include "core/sampling_patterns.h"
#include "core/spirit.h"

namespace larmor::addon {
namespace {

/// What both methods take: kspace, coils, ny, nx, mask | undefined, maskIsLines, region | undefined, kernelRows, kernelColumns, lambda.
struct Arguments {
  explicit Arguments(const Napi::CallbackInfo& info)
      : coils(count(info, 2, "coils")),
        ny(count(info, 3, "ny")),
        nx(count(info, 4, "nx")),
        points(product(info, {coils, ny, nx})),
        kspace(complex64(info, 1, "kspace", points)),
        sampling{nullptr, boolean(info, 6, "maskIsLines")},
        kernel{count(info, 8, "kernelRows"), count(info, 9, "kernelColumns")},
        lambda(number(info, 10, "lambda")) {
    if (points == 0) fail_argument(info.Env(), "kspace", "not empty");
    if (!info[5].IsUndefined()) sampling.data = uint8(info, 5, "mask", sampling.lines ? nx : ny * nx);
    if (std::min(kernel.rows, kernel.columns) == 0 || std::max(kernel.rows, kernel.columns) > kLongestWindow)
      fail_argument(info.Env(), "kernel", "between 1 and 16 along both sides");
    if (!info[7].IsUndefined()) {
      const uint32_t* const given = uint32(info, 7, "region", 4);
      region = {given[0], given[1], given[2], given[3]};
      region_given = true;
      if (region.row + region.rows > ny || region.column + region.columns > nx) fail_argument(info.Env(), "region", "within k-space");
    }
  }

  void expect_finite(const Parallel& parallel, const char* who) const {
    if (!all_finite(parallel, 2 * points, &kspace->re))
      throw CodedError("ERR_NOT_FINITE", std::string(who) + ": kspace holds NaN or infinity: check how it was read or scaled");
  }

  /// The region to calibrate on: as given, or the largest around the centre.
  CalibrationRegion calibration(const char* who, const std::vector<uint8_t>& sampled) const {
    const CalibrationRegion found = region_given ? region : calibration_region(coils, ny, nx, kspace, sampling, ny, nx);
    if (found.rows < kernel.rows || found.columns < kernel.columns)
      throw CodedError("ERR_CALIBRATION", std::string(who) + ": needs a fully sampled centre of at least " + std::to_string(kernel.rows) + " x " +
                                              std::to_string(kernel.columns) + " samples (the kernel), found " + std::to_string(found.rows) +
                                              " x " + std::to_string(found.columns) + ": sample more centre lines or choose a smaller kernel");
    bool signal = false;
    for (size_t y = found.row; y < found.row + found.rows; ++y)
      for (size_t x = found.column; x < found.column + found.columns; ++x) {
        for (size_t c = 0; c < coils; ++c) signal = signal || kspace[(c * ny + y) * nx + x].re != 0 || kspace[(c * ny + y) * nx + x].im != 0;
        if (sampled[y * nx + x] == 0)
          throw CodedError("ERR_CALIBRATION", std::string(who) + ": calibration must be fully sampled, but position [" + std::to_string(y) + "," +
                                                  std::to_string(x) + "] was not measured");
      }
    if (!signal)
      throw CodedError("ERR_CALIBRATION", std::string(who) + ": the calibration region holds only zeros: check what the mask says was measured");
    return found;
  }

  size_t coils, ny, nx, points;
  const c32* kspace;
  Sampling sampling;
  CalibrationRegion region{0, 0, 0, 0};
  bool region_given = false;
  Grid kernel;
  double lambda;
};

/// grappa(control, ...Arguments, output, threads): Promise<[row, rows, column, columns, missing, patterns, unfilled]>, the region zeros
/// where nothing is missing. Counts kGrappaSteps steps.
Napi::Value grappa(const Napi::CallbackInfo& info) {
  const Arguments a(info);
  c32* const output = complex64(info, 11, "output", a.points);
  const size_t threads = count(info, 12, "threads");
  struct Outcome {
    GrappaResult result{0, 0, 0};
    CalibrationRegion region{0, 0, 0, 0};
  };
  const auto outcome = std::make_shared<Outcome>();
  return Job::run(
      info.Env(), info[0], {info[1], info[5], info[11]},
      [=](const JobControl& job) {
        const JobThreads parallel(job, threads);
        a.expect_finite(parallel, "grappa");
        const std::vector<uint8_t> sampled = sampled_points(a.coils, a.ny, a.nx, a.kspace, a.sampling);
        if (std::find(sampled.begin(), sampled.end(), 0) != sampled.end()) outcome->region = a.calibration("grappa", sampled);
        outcome->result = larmor::grappa(parallel, a.coils, a.ny, a.nx, a.kspace, sampled.data(), outcome->region,
                                         {.kernel = a.kernel, .lambda = a.lambda}, output, [&](size_t done) { job.done(done); });
      },
      [outcome](Napi::Env env) {
        const auto real = [](size_t value) { return static_cast<double>(value); };
        const auto& [result, region] = *outcome;
        return numbers(env, {real(region.row), real(region.rows), real(region.column), real(region.columns), real(result.missing),
                             real(result.patterns), real(result.unfilled)});
      });
}

/// spirit(control, ...Arguments, regularisation, iterations, tolerance, output, threads): Promise<[row, rows, column, columns, missing,
/// iterations, residual, converged]>, the region zeros where nothing is missing. Counts kSpiritSteps steps.
Napi::Value spirit(const Napi::CallbackInfo& info) {
  const Arguments a(info);
  const SpiritOptions options{
      .kernel = a.kernel,
      .lambda = a.lambda,
      .solver = {.lambda = number(info, 11, "regularisation"), .iterations = count(info, 12, "iterations"), .tolerance = number(info, 13, "tolerance")}};
  if (options.solver.iterations == 0) fail_argument(info.Env(), "iterations", "at least 1");
  c32* const output = complex64(info, 14, "output", a.points);
  const size_t threads = count(info, 15, "threads");
  struct Outcome {
    SpiritResult result{0, {0, 0, true}};
    CalibrationRegion region{0, 0, 0, 0};
  };
  const auto outcome = std::make_shared<Outcome>();
  return Job::run(
      info.Env(), info[0], {info[1], info[5], info[14]},
      [=](const JobControl& job) {
        const JobThreads parallel(job, threads);
        a.expect_finite(parallel, "spirit");
        const std::vector<uint8_t> sampled = sampled_points(a.coils, a.ny, a.nx, a.kspace, a.sampling);
        if (std::find(sampled.begin(), sampled.end(), 0) != sampled.end()) outcome->region = a.calibration("spirit", sampled);
        outcome->result = larmor::spirit(parallel, a.coils, a.ny, a.nx, a.kspace, sampled.data(), outcome->region, options, output,
                                         [&](size_t done) { job.done(done); });
      },
      [outcome](Napi::Env env) {
        const auto real = [](size_t value) { return static_cast<double>(value); };
        const auto& [result, region] = *outcome;
        const auto& [iterations, residual, converged] = result.solver;
        return numbers(env, {real(region.row), real(region.rows), real(region.column), real(region.columns), real(result.missing),
                             real(iterations), residual, converged ? 1.0 : 0.0});
      });
}

}  // namespace

void export_neighbours(Napi::Env env, Napi::Object exports) {
  exports.Set("grappa", Napi::Function::New(env, grappa, "grappa"));
  exports.Set("spirit", Napi::Function::New(env, spirit, "spirit"));
  exports.Set("spiritSteps", Napi::Number::New(env, kSpiritSteps));
  exports.Set("grappaSteps", Napi::Number::New(env, kGrappaSteps));
}

}  // namespace larmor::addon
