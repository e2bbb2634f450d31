// The encoding operator and its factors.
#include "addon/addon.h"
#include "addon/args.h"
#include "addon/encoding_arguments.h"
#include "addon/job_threads.h"
#include "core/coils.h"

namespace larmor::addon {
namespace {

/// encodeForward(control, sets, coils, ny, nx, maps, mask, x, kspace, threads)
Napi::Value encode_forward(const Napi::CallbackInfo& info) {
  const EncodingArguments a(info);
  const float* const x = float32(info, 7, "x", 2 * a.image_points());
  c32* const kspace = complex64(info, 8, "kspace", a.kspace_points());
  const size_t threads = count(info, 9, "threads");
  return Job::run(info.Env(), info[0], {info[5], info[6], info[7], info[8]}, [=](const JobControl& job) {
    Encoding(a.sizes, a.maps, a.mask).forward(JobThreads(job, threads), {x, false}, kspace);
  });
}

/// encodeAdjoint(control, sets, coils, ny, nx, maps, mask, kspace, x, threads)
Napi::Value encode_adjoint(const Napi::CallbackInfo& info) {
  const EncodingArguments a(info);
  const c32* const kspace = complex64(info, 7, "kspace", a.kspace_points());
  float* const x = float32(info, 8, "x", 2 * a.image_points());
  const size_t threads = count(info, 9, "threads");
  return Job::run(info.Env(), info[0], {info[5], info[6], info[7], info[8]}, [=](const JobControl& job) {
    Encoding(a.sizes, a.maps, a.mask).adjoint(JobThreads(job, threads), kspace, {x, false});
  });
}

/// encodeNormal(control, sets, coils, ny, nx, maps, mask, x, y, threads)
Napi::Value encode_normal(const Napi::CallbackInfo& info) {
  const EncodingArguments a(info);
  const float* const x = float32(info, 7, "x", 2 * a.image_points());
  float* const y = float32(info, 8, "y", 2 * a.image_points());
  const size_t threads = count(info, 9, "threads");
  return Job::run(info.Env(), info[0], {info[5], info[6], info[7], info[8]}, [=](const JobControl& job) {
    Encoding(a.sizes, a.maps, a.mask).normal(JobThreads(job, threads), {x, false}, {y, false});
  });
}

/// multiplyMaps(control, sets, coils, points, maps, x, output, threads)
Napi::Value multiply_maps(const Napi::CallbackInfo& info) {
  const size_t sets = count(info, 1, "sets"), coils = count(info, 2, "coils"), points = count(info, 3, "points");
  const c32* const maps = complex64(info, 4, "maps", product(info, {sets, coils, points}));
  const c32* const x = complex64(info, 5, "x", sets * points);
  c32* const output = complex64(info, 6, "output", coils * points);
  const size_t threads = count(info, 7, "threads");
  return Job::run(info.Env(), info[0], {info[4], info[5], info[6]}, [=](const JobControl& job) {
    larmor::multiply_maps(JobThreads(job, threads), sets, coils, points, maps, x, output);
  });
}

/// combineCoils(control, sets, coils, points, maps, y, output, threads)
Napi::Value combine_coils(const Napi::CallbackInfo& info) {
  const size_t sets = count(info, 1, "sets"), coils = count(info, 2, "coils"), points = count(info, 3, "points");
  const c32* const maps = complex64(info, 4, "maps", product(info, {sets, coils, points}));
  const c32* const y = complex64(info, 5, "y", coils * points);
  c32* const output = complex64(info, 6, "output", sets * points);
  const size_t threads = count(info, 7, "threads");
  return Job::run(info.Env(), info[0], {info[4], info[5], info[6]}, [=](const JobControl& job) {
    larmor::combine_coils(JobThreads(job, threads), sets, coils, points, maps, y, output);
  });
}

/// applyMask(control, coils, points, mask, y, output, threads)
Napi::Value apply_mask(const Napi::CallbackInfo& info) {
  const size_t coils = count(info, 1, "coils"), points = count(info, 2, "points");
  const float* const mask = float32(info, 3, "mask", points);
  const c32* const y = complex64(info, 4, "y", product(info, {coils, points}));
  c32* const output = complex64(info, 5, "output", coils * points);
  const size_t threads = count(info, 6, "threads");
  return Job::run(info.Env(), info[0], {info[3], info[4], info[5]},
                  [=](const JobControl& job) { larmor::apply_mask(JobThreads(job, threads), coils, points, mask, y, output); });
}

}  // namespace

void export_encoding(Napi::Env env, Napi::Object exports) {
  exports.Set("encodeForward", Napi::Function::New(env, encode_forward, "encodeForward"));
  exports.Set("encodeAdjoint", Napi::Function::New(env, encode_adjoint, "encodeAdjoint"));
  exports.Set("encodeNormal", Napi::Function::New(env, encode_normal, "encodeNormal"));
  exports.Set("multiplyMaps", Napi::Function::New(env, multiply_maps, "multiplyMaps"));
  exports.Set("combineCoils", Napi::Function::New(env, combine_coils, "combineCoils"));
  exports.Set("applyMask", Napi::Function::New(env, apply_mask, "applyMask"));
}

}  // namespace larmor::addon
