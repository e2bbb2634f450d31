// Combinations of coils off the event loop: their products, principal coils, and matrices applied to k-space.
#include <memory>

#include "addon/addon.h"
#include "addon/args.h"
#include "addon/job_threads.h"
#include "core/calibration_region.h"
#include "core/coil_compression.h"
#include "core/coil_mixing.h"
#include "core/hermitian_eigen.h"
#include "core/network.h"

namespace larmor::addon {
namespace {

/// K-space [coil, ny, nx] at argument `index` and its sizes after it.
struct KspaceArgument {
  KspaceArgument(const Napi::CallbackInfo& info, size_t index)
      : coils(count(info, index + 1, "coils")), ny(count(info, index + 2, "ny")), nx(count(info, index + 3, "nx")) {
    points = product(info, {coils, ny, nx});
    if (points == 0) fail_argument(info.Env(), "kspace", "not empty");
    data = complex64(info, index, "kspace", points);
  }
  size_t coils, ny, nx, points;
  c32* data;
};

/// calibrationRegion(control, kspace, coils, ny, nx, mask | undefined, maskIsLines, maxRows, maxColumns):
/// Promise<Uint32Array [row, rows, column, columns]>; sides of 0 where the centre is not sampled.
Napi::Value find_calibration_region(const Napi::CallbackInfo& info) {
  const KspaceArgument y(info, 1);
  Sampling sampling{nullptr, boolean(info, 6, "maskIsLines")};
  if (!info[5].IsUndefined()) sampling.data = uint8(info, 5, "mask", sampling.lines ? y.nx : y.ny * y.nx);
  const size_t max_rows = count(info, 7, "maxRows"), max_columns = count(info, 8, "maxColumns");
  const auto region = std::make_shared<CalibrationRegion>();
  return Job::run(
      info.Env(), info[0], {info[1], info[5]},
      [=](const JobControl&) { *region = calibration_region(y.coils, y.ny, y.nx, y.data, sampling, max_rows, max_columns); },
      [region](Napi::Env env) {
        auto result = Napi::Uint32Array::New(env, 4);
        const size_t values[] = {region->row, region->rows, region->column, region->columns};
        for (size_t i = 0; i < 4; ++i) result.Data()[i] = static_cast<uint32_t>(values[i]);
        return result;
      });
}

/// coilGram(control, kspace, coils, ny, nx, row, rows, column, columns, gram, threads)
Napi::Value coil_gram(const Napi::CallbackInfo& info) {
  const KspaceArgument y(info, 1);
  const CalibrationRegion region{count(info, 5, "row"), count(info, 6, "rows"), count(info, 7, "column"), count(info, 8, "columns")};
  if (region.rows > y.ny || region.row > y.ny - region.rows) fail_argument(info.Env(), "rows", "within ny");
  if (region.columns > y.nx || region.column > y.nx - region.columns) fail_argument(info.Env(), "columns", "within nx");
  c64* const gram = complex128(info, 9, "gram", y.coils * y.coils);
  const size_t threads = count(info, 10, "threads");
  return Job::run(info.Env(), info[0], {info[1], info[9]}, [=](const JobControl& job) {
    const JobThreads parallel(job, threads);
    if (!all_finite(parallel, 2 * y.points, &y.data->re))
      throw CodedError("ERR_NOT_FINITE", "coilGram: the samples hold NaN or infinity: check how they were read or scaled");
    larmor::coil_gram(parallel, y.coils, y.ny, y.nx, y.data, region, gram);
  });
}

/// hermitianEigen(control, n, matrix, values, vectors): eigenvalues [n], largest first, and unit eigenvectors as rows [n, n].
Napi::Value hermitian_eigen(const Napi::CallbackInfo& info) {
  const size_t n = count(info, 1, "n"), entries = product(info, {n, n});
  if (n == 0) fail_argument(info.Env(), "n", "at least 1");
  const c64* const matrix = complex128(info, 2, "matrix", entries);
  double* const values = float64(info, 3, "values", n);
  c64* const vectors = complex128(info, 4, "vectors", entries);
  return Job::run(info.Env(), info[0], {info[2], info[3], info[4]}, [=](const JobControl& job) {
    const JobThreads parallel(job, 1);
    const HermitianEigen eigen(parallel, n, matrix);
    std::copy(eigen.values().begin(), eigen.values().end(), values);
    eigen.vectors(parallel, n, vectors);
  });
}

/// mixCoils(control, mixed, kspace, coils, ny, nx, matrix [mixed, coils] or [ny, mixed, coils], alongReadout, output, threads)
Napi::Value mix_coils(const Napi::CallbackInfo& info) {
  const size_t mixed = count(info, 1, "mixed");
  const KspaceArgument y(info, 2);
  const bool along_readout = boolean(info, 7, "alongReadout");
  const c32* const matrix = complex64(info, 6, "matrix", product(info, {along_readout ? y.ny : 1, mixed, y.coils}));
  c32* const output = complex64(info, 8, "output", product(info, {mixed, y.ny, y.nx}));
  const size_t threads = count(info, 9, "threads");
  return Job::run(info.Env(), info[0], {info[2], info[6], info[8]}, [=](const JobControl& job) {
    const JobThreads parallel(job, threads);
    if (along_readout)
      mix_coils_along_readout(parallel, mixed, y.coils, y.ny, y.nx, matrix, y.data, output);
    else
      larmor::mix_coils(parallel, mixed, y.coils, y.ny * y.nx, matrix, y.data, output);
  });
}

/// geometricCompression(control, kspace, coils, ny, nx, column, columns, window, virtualCoils or 0, energy, matrices [ny, coils, coils],
/// threads): Promise<[virtualCoils, energy]>. The matrices [ny, virtualCoils, coils] fill the beginning of their array.
Napi::Value geometric_compression(const Napi::CallbackInfo& info) {
  const KspaceArgument y(info, 1);
  const size_t column = count(info, 5, "column"), columns = count(info, 6, "columns");
  if (columns == 0 || columns > y.nx || column > y.nx - columns) fail_argument(info.Env(), "columns", "within nx");
  const GeometricOptions options{
      .coils = count(info, 8, "virtualCoils"), .energy = number(info, 9, "energy"), .window = count(info, 7, "window")};
  if (options.coils > y.coils) fail_argument(info.Env(), "virtualCoils", "at most the number of coils");
  if (options.window == 0) fail_argument(info.Env(), "window", "at least 1");
  c32* const matrices = complex64(info, 10, "matrices", product(info, {y.ny, y.coils, y.coils}));
  const size_t threads = count(info, 11, "threads");
  const auto found = std::make_shared<GeometricCompression>();
  return Job::run(
      info.Env(), info[0], {info[1], info[10]},
      [=](const JobControl& job) {
        const JobThreads parallel(job, threads);
        if (!all_finite(parallel, 2 * y.points, &y.data->re))
          throw CodedError("ERR_NOT_FINITE", "geometricCompression: kspace holds NaN or infinity: check how it was read or scaled");
        *found = larmor::geometric_compression(parallel, y.coils, y.ny, y.nx, column, columns, y.data, options);
        std::copy(found->matrices.begin(), found->matrices.end(), matrices);
      },
      [found](Napi::Env env) {
        const Napi::Array result = Napi::Array::New(env, 2);
        result.Set(0u, Napi::Number::New(env, static_cast<double>(found->coils)));
        result.Set(1u, Napi::Number::New(env, found->energy));
        return result;
      });
}

}  // namespace

void export_coils(Napi::Env env, Napi::Object exports) {
  exports.Set("calibrationRegion", Napi::Function::New(env, find_calibration_region, "calibrationRegion"));
  exports.Set("coilGram", Napi::Function::New(env, coil_gram, "coilGram"));
  exports.Set("hermitianEigen", Napi::Function::New(env, hermitian_eigen, "hermitianEigen"));
  exports.Set("mixCoils", Napi::Function::New(env, mix_coils, "mixCoils"));
  exports.Set("geometricCompression", Napi::Function::New(env, geometric_compression, "geometricCompression"));
}

}  // namespace larmor::addon
