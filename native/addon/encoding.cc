// The encoding operator and its factors.
#include "addon/addon.h"
#include "addon/args.h"
#include "addon/encoding_arguments.h"
#include "addon/job_threads.h"
#include "core/coils.h"

namespace larmor::addon {
namespace {

enum class Space { kImage, kKspace };

/// A job over an encoding operator: EncodingArguments, then input and output of the named spaces, then threads.
template <class Body>
Napi::Value encode(const Napi::CallbackInfo& info, Space input, Space output, Body body) {
  const EncodingArguments a(info);
  const auto points = [&](Space space) { return space == Space::kImage ? a.image_points() : a.kspace_points(); };
  c32* const from = complex64(info, 7, "input", points(input));
  c32* const to = complex64(info, 8, "output", points(output));
  const size_t threads = count(info, 9, "threads");
  return Job::run(info.Env(), info[0], {info[5], info[6], info[7], info[8]},
                  [=](const JobControl& job) { body(Encoding(a.sizes, a.maps, a.mask), JobThreads(job, threads), from, to); });
}

Image interleaved(c32* x) { return {&x->re, false}; }

Napi::Value encode_forward(const Napi::CallbackInfo& info) {
  return encode(info, Space::kImage, Space::kKspace, [](const Encoding& encoding, const Parallel& parallel, c32* x, c32* kspace) {
    encoding.forward(parallel, interleaved(x), kspace);
  });
}

Napi::Value encode_adjoint(const Napi::CallbackInfo& info) {
  return encode(info, Space::kKspace, Space::kImage, [](const Encoding& encoding, const Parallel& parallel, c32* kspace, c32* x) {
    encoding.adjoint(parallel, kspace, interleaved(x));
  });
}

Napi::Value encode_normal(const Napi::CallbackInfo& info) {
  return encode(info, Space::kImage, Space::kImage, [](const Encoding& encoding, const Parallel& parallel, c32* x, c32* y) {
    encoding.normal(parallel, interleaved(x), interleaved(y));
  });
}

/// A job over maps: control, sets, coils, points, maps, input, output, threads.
Napi::Value coil_product(const Napi::CallbackInfo& info, Space input, Space output, decltype(&larmor::multiply_maps) body) {
  const size_t sets = count(info, 1, "sets"), coils = count(info, 2, "coils"), points = count(info, 3, "points");
  const auto size = [&](Space space) { return (space == Space::kImage ? sets : coils) * points; };
  const c32* const maps = complex64(info, 4, "maps", product(info, {sets, coils, points}));
  const c32* const from = complex64(info, 5, "input", size(input));
  c32* const to = complex64(info, 6, "output", size(output));
  const size_t threads = count(info, 7, "threads");
  return Job::run(info.Env(), info[0], {info[4], info[5], info[6]},
                  [=](const JobControl& job) { body(JobThreads(job, threads), sets, coils, points, maps, from, to); });
}

Napi::Value multiply_maps(const Napi::CallbackInfo& info) { return coil_product(info, Space::kImage, Space::kKspace, larmor::multiply_maps); }

Napi::Value combine_coils(const Napi::CallbackInfo& info) { return coil_product(info, Space::kKspace, Space::kImage, larmor::combine_coils); }

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
