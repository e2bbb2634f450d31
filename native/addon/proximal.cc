// Wavelets and the solvers that use proximal maps, each solve one job.
#include <memory>
#include <random>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/encoding_arguments.h"
#include "addon/job_threads.h"
#include "core/encoding_stack.h"
#include "core/locally_low_rank.h"
#include "core/network.h"
#include "core/proximal_gradient.h"
#include "core/total_variation.h"
#include "core/wavelet.h"

namespace larmor::addon {
namespace {

WaveletFilter wavelet_filter(const Napi::CallbackInfo& info, size_t index) {
  return boolean(info, index, "haar") ? WaveletFilter::kHaar : WaveletFilter::kDaubechies4;
}

/// wavelet(control, inverse, batch, ny, nx, haar, levels, coarsest, input, output, threads)
Napi::Value wavelet(const Napi::CallbackInfo& info) {
  const bool inverse = boolean(info, 1, "inverse");
  const size_t batch = count(info, 2, "batch"), ny = count(info, 3, "ny"), nx = count(info, 4, "nx");
  const WaveletFilter filter = wavelet_filter(info, 5);
  const size_t levels = count(info, 6, "levels"), coarsest = count(info, 7, "coarsest");
  const size_t points = product(info, {batch, ny, nx});
  const c32* const input = complex64(info, 8, "input", points);
  c32* const output = complex64(info, 9, "output", points);
  const size_t threads = count(info, 10, "threads");
  return Job::run(info.Env(), info[0], {info[8], info[9]}, [=](const JobControl& job) {
    const JobThreads parallel(job, threads);
    const Wavelet transform(filter, ny, nx, levels, coarsest);
    for (size_t i = 0; i < points; i += ny * nx)
      inverse ? transform.inverse(parallel, input + i, output + i) : transform.forward(parallel, input + i, output + i);
  });
}

/// Displacements of a grid, drawn anew for every iteration; none without a seed.
class Displacements {
 public:
  Displacements(const Napi::CallbackInfo& info, size_t index) : random_(!info[index].IsUndefined()) {
    if (random_) generator_.seed(count(info, index, "seed"));
  }
  Shift next(size_t ny, size_t nx) {
    if (!random_) return {0, 0};
    const size_t y = generator_() % ny;
    return {y, generator_() % nx};
  }

 private:
  bool random_;
  std::mt19937_64 generator_;
};

struct Solution {
  ProximalGradientResult solver;
  double objective;
};

/// The part that solves by proximal gradients share: x [floats] becomes the solution. `shrink(step, x)` is the proximal map and
/// `penalty(x)` what it belongs to.
template <class Shrink, class Penalty>
Solution solve(const JobControl& job, const Parallel& parallel, const EncodingStack& encodings, size_t iterations, double tolerance,
               const c32* kspace, float* x, Shrink&& shrink, Penalty&& penalty) {
  if (!all_finite(parallel, 2 * encodings.frames() * encodings.kspace_points(), &kspace->re))
    throw CodedError("ERR_NOT_FINITE", "kspace holds NaN or infinity: check how it was read or scaled");
  const ProximalGradientOptions options{.curvature = encodings.curvature(parallel),
                                        .iterations = iterations,
                                        .energy = encodings.energy(parallel, kspace),
                                        .tolerance = tolerance};
  if (!(options.curvature > 0)) throw CodedError("ERR_ARGUMENT", "maps are zero everywhere: no image explains the data");
  encodings.adjoint(parallel, kspace, x);
  const auto normal = [&](const float* from, float* to) { encodings.normal(parallel, from, to); };
  const auto result = proximal_gradient(parallel, 2 * encodings.frames() * encodings.image_points(), options, normal, shrink, x,
                                        [&](size_t done) { job.done(done); });
  return {result, result.misfit + penalty(x)};
}

Job::Result report(const std::shared_ptr<Solution>& solution) {
  return [solution](Napi::Env env) {
    const auto& [solver, objective] = *solution;
    const Napi::Array values = Napi::Array::New(env, 5);
    values.Set(0u, Napi::Number::New(env, static_cast<double>(solver.iterations)));
    values.Set(1u, Napi::Number::New(env, solver.change));
    values.Set(2u, Napi::Boolean::New(env, solver.converged));
    values.Set(3u, Napi::Number::New(env, static_cast<double>(solver.restarts)));
    values.Set(4u, Napi::Number::New(env, objective));
    return values;
  };
}

/// l1Wavelet(control, sets, coils, ny, nx, maps, mask, kspace, x, threads, iterations, tolerance, weight, seed | undefined, haar, levels,
/// coarsest): Promise<[iterations, change, converged, restarts, objective]>. Counts the iterations.
Napi::Value l1_wavelet(const Napi::CallbackInfo& info) {
  const EncodingArguments a(info);
  const c32* const kspace = complex64(info, 7, "kspace", a.kspace_points());
  c32* const x = complex64(info, 8, "x", a.image_points());
  const size_t threads = count(info, 9, "threads"), iterations = count(info, 10, "iterations");
  const double tolerance = number(info, 11, "tolerance"), weight = number(info, 12, "weight");
  const auto displacements = std::make_shared<Displacements>(info, 13);
  const WaveletFilter filter = wavelet_filter(info, 14);
  const size_t levels = count(info, 15, "levels"), coarsest = count(info, 16, "coarsest");
  const auto solution = std::make_shared<Solution>();
  return Job::run(
      info.Env(), info[0], {info[5], info[6], info[7], info[8]},
      [=](const JobControl& job) {
        const JobThreads parallel(job, threads);
        const Wavelet transform(filter, a.sizes.ny, a.sizes.nx, levels, coarsest);
        const EncodingStack encodings(1, a.sizes, a.maps, true, a.mask, true);
        const auto image = [&](auto* at, size_t set) { return at + set * transform.points(); };
        const auto shrink = [&](double step, float* at) {
          const Shift shift = displacements->next(a.sizes.ny, a.sizes.nx);
          for (size_t s = 0; s < a.sizes.sets; ++s)
            transform.shrink(parallel, static_cast<float>(step * weight), shift, image(reinterpret_cast<c32*>(at), s));
        };
        const auto penalty = [&](const float* at) {
          double sum = 0;
          for (size_t s = 0; s < a.sizes.sets; ++s) sum += transform.norm(parallel, image(reinterpret_cast<const c32*>(at), s));
          return weight * sum;
        };
        *solution = solve(job, parallel, encodings, iterations, tolerance, kspace, &x->re, shrink, penalty);
      },
      report(solution));
}

/// totalVariation(control, sets, coils, ny, nx, maps, mask, kspace, x, threads, iterations, tolerance, weight): as l1Wavelet.
Napi::Value total_variation(const Napi::CallbackInfo& info) {
  const EncodingArguments a(info);
  const c32* const kspace = complex64(info, 7, "kspace", a.kspace_points());
  c32* const x = complex64(info, 8, "x", a.image_points());
  const size_t threads = count(info, 9, "threads"), iterations = count(info, 10, "iterations");
  const double tolerance = number(info, 11, "tolerance"), weight = number(info, 12, "weight");
  const auto solution = std::make_shared<Solution>();
  return Job::run(
      info.Env(), info[0], {info[5], info[6], info[7], info[8]},
      [=](const JobControl& job) {
        const JobThreads parallel(job, threads);
        const EncodingStack encodings(1, a.sizes, a.maps, true, a.mask, true);
        TotalVariationProximal proximal(a.sizes.sets, a.sizes.ny, a.sizes.nx, weight);
        const auto shrink = [&](double step, float* at) { proximal(parallel, step, reinterpret_cast<c32*>(at)); };
        const auto penalty = [&](const float* at) {
          return weight * larmor::total_variation(parallel, a.sizes.sets, a.sizes.ny, a.sizes.nx, reinterpret_cast<const c32*>(at));
        };
        *solution = solve(job, parallel, encodings, iterations, tolerance, kspace, &x->re, shrink, penalty);
      },
      report(solution));
}

/// locallyLowRank(control, frames, sets, coils, ny, nx, maps, mask, kspace, x, threads, iterations, tolerance, weight, seed | undefined,
/// block, maskIsLines): as l1Wavelet, for maps [1 or frame, set, coil, y, x], mask [1 or frame, (y,) x], kspace [frame, coil, y, x] and
/// x [frame, set, y, x].
Napi::Value locally_low_rank(const Napi::CallbackInfo& info) {
  const size_t frames = count(info, 1, "frames");
  const EncodingSizes sizes{.sets = count(info, 2, "sets"), .coils = count(info, 3, "coils"), .ny = count(info, 4, "ny"), .nx = count(info, 5, "nx")};
  const bool lines = boolean(info, 16, "maskIsLines");
  const size_t map_points = product(info, {sizes.sets, sizes.coils, sizes.ny, sizes.nx}), mask_points = lines ? sizes.nx : sizes.ny * sizes.nx;
  const auto shared = [&](size_t index, size_t elements) {
    return info[index].IsTypedArray() && info[index].As<Napi::TypedArray>().ElementLength() == elements;
  };
  const bool maps_shared = shared(6, 2 * map_points), mask_shared = shared(7, mask_points);
  const c32* const maps = complex64(info, 6, "maps", maps_shared ? map_points : product(info, {frames, map_points}));
  const MaskWeights mask{float32(info, 7, "mask", mask_shared ? mask_points : product(info, {frames, mask_points})), lines};
  const c32* const kspace = complex64(info, 8, "kspace", product(info, {frames, sizes.coils, sizes.ny, sizes.nx}));
  c32* const x = complex64(info, 9, "x", product(info, {frames, sizes.sets, sizes.ny, sizes.nx}));
  const size_t threads = count(info, 10, "threads"), iterations = count(info, 11, "iterations");
  const double tolerance = number(info, 12, "tolerance"), weight = number(info, 13, "weight");
  const auto displacements = std::make_shared<Displacements>(info, 14);
  const BlockStack stack{.components = frames * sizes.sets, .ny = sizes.ny, .nx = sizes.nx, .block = count(info, 15, "block")};
  if (stack.block == 0) fail_argument(info.Env(), "block", "at least 1");
  if (frames * map_points == 0) fail_argument(info.Env(), "kspace", "not empty");
  const auto solution = std::make_shared<Solution>();
  return Job::run(
      info.Env(), info[0], {info[6], info[7], info[8], info[9]},
      [=](const JobControl& job) {
        const JobThreads parallel(job, threads);
        const EncodingStack encodings(frames, sizes, maps, maps_shared, mask, mask_shared);
        const auto shrink = [&](double step, float* at) {
          shrink_blocks(parallel, stack, step * weight, displacements->next(stack.block, stack.block), reinterpret_cast<c32*>(at));
        };
        const auto penalty = [&](const float* at) { return weight * blocks_norm(parallel, stack, reinterpret_cast<const c32*>(at)); };
        *solution = solve(job, parallel, encodings, iterations, tolerance, kspace, &x->re, shrink, penalty);
      },
      report(solution));
}

}  // namespace

void export_proximal(Napi::Env env, Napi::Object exports) {
  exports.Set("totalVariation", Napi::Function::New(env, total_variation, "totalVariation"));
  exports.Set("wavelet", Napi::Function::New(env, wavelet, "wavelet"));
  exports.Set("l1Wavelet", Napi::Function::New(env, l1_wavelet, "l1Wavelet"));
  exports.Set("locallyLowRank", Napi::Function::New(env, locally_low_rank, "locallyLowRank"));
}

}  // namespace larmor::addon
