// Noise off the event loop: whitening, replicas, and noise amplification of SENSE.
#include <memory>
#include <string>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/job_threads.h"
#include "core/gfactor.h"
#include "core/network.h"
#include "core/noise.h"

namespace larmor::addon {
namespace {

[[noreturn]] void fail_singular(const char* who) {
  throw CodedError("ERR_NOISE", std::string(who) +
                                    ": the noise covariance is not positive definite: a coil is dead or a copy of others, or there were too "
                                    "few samples of noise; leave that coil out, or do not whiten");
}

/// noiseCondition(control, n, covariance): Promise<number>, infinite where the covariance is not positive definite.
Napi::Value noise_condition(const Napi::CallbackInfo& info) {
  const size_t n = count(info, 1, "n");
  if (n == 0) fail_argument(info.Env(), "n", "at least 1");
  const c64* const covariance = complex128(info, 2, "covariance", product(info, {n, n}));
  const auto condition = std::make_shared<double>();
  return Job::run(
      info.Env(), info[0], {info[2]}, [=](const JobControl&) { *condition = condition_number(n, covariance); },
      [condition](Napi::Env env) { return Napi::Number::New(env, *condition); });
}

/// whiteningMatrix(control, n, covariance, matrix)
Napi::Value whitening_matrix(const Napi::CallbackInfo& info) {
  const size_t n = count(info, 1, "n"), entries = product(info, {n, n});
  if (n == 0) fail_argument(info.Env(), "n", "at least 1");
  const c64* const covariance = complex128(info, 2, "covariance", entries);
  c32* const matrix = complex64(info, 3, "matrix", entries);
  return Job::run(info.Env(), info[0], {info[2], info[3]}, [=](const JobControl&) {
    if (!larmor::whitening_matrix(n, covariance, matrix)) fail_singular("whiteningMatrix");
  });
}

/// addNoise(control, coils, points, covariance, seed, replica, kspace, output, threads)
Napi::Value add_noise(const Napi::CallbackInfo& info) {
  const size_t coils = count(info, 1, "coils"), points = count(info, 2, "points");
  const c64* const covariance = complex128(info, 3, "covariance", product(info, {coils, coils}));
  const size_t seed = count(info, 4, "seed");
  const auto replica = static_cast<uint32_t>(count(info, 5, "replica"));
  const c32* const kspace = complex64(info, 6, "kspace", product(info, {coils, points}));
  c32* const output = complex64(info, 7, "output", coils * points);
  const size_t threads = count(info, 8, "threads");
  return Job::run(info.Env(), info[0], {info[3], info[6], info[7]}, [=](const JobControl& job) {
    std::vector<c32> factor(coils * coils);
    if (!noise_factor(coils, covariance, factor.data())) fail_singular("addNoise");
    larmor::add_noise(JobThreads(job, threads), coils, points, factor.data(), seed, replica, kspace, output);
  });
}

/// senseGFactor(control, coils, ny, nx, ry, rx, maps, g, threads)
Napi::Value sense_gfactor(const Napi::CallbackInfo& info) {
  const size_t coils = count(info, 1, "coils"), ny = count(info, 2, "ny"), nx = count(info, 3, "nx");
  const size_t ry = count(info, 4, "ry"), rx = count(info, 5, "rx");
  if (ry == 0 || ny % ry != 0) fail_argument(info.Env(), "ry", "a divisor of ny");
  if (rx == 0 || nx % rx != 0) fail_argument(info.Env(), "rx", "a divisor of nx");
  const size_t points = product(info, {coils, ny, nx});
  const c32* const maps = complex64(info, 6, "maps", points);
  float* const g = float32(info, 7, "g", ny * nx);
  const size_t threads = count(info, 8, "threads");
  return Job::run(info.Env(), info[0], {info[6], info[7]}, [=](const JobControl& job) {
    const JobThreads parallel(job, threads);
    if (!all_finite(parallel, 2 * points, &maps->re)) throw CodedError("ERR_NOT_FINITE", "senseGFactor: maps hold NaN or infinity");
    larmor::sense_gfactor(parallel, coils, ny, nx, ry, rx, maps, g);
  });
}

}  // namespace

void export_noise(Napi::Env env, Napi::Object exports) {
  exports.Set("noiseCondition", Napi::Function::New(env, noise_condition, "noiseCondition"));
  exports.Set("whiteningMatrix", Napi::Function::New(env, whitening_matrix, "whiteningMatrix"));
  exports.Set("addNoise", Napi::Function::New(env, add_noise, "addNoise"));
  exports.Set("senseGFactor", Napi::Function::New(env, sense_gfactor, "senseGFactor"));
}

}  // namespace larmor::addon
