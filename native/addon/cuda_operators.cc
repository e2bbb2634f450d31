// Transforms, encodings and solvers on CUDA devices: each call queues work on the context's stream; only the solver waits for it.
#include <vector>

#include "addon/addon.h"
#include "addon/cuda_arguments.h"
#include "addon/job.h"

namespace larmor::addon {
namespace {

using Memory = std::shared_ptr<gpu::DeviceMemory>;

/// cudaFft2(control, context, inverse, count, ny, nx, input, output): Promise<void>.
Napi::Value fft2(const Napi::CallbackInfo& info) {
  const auto context = cuda_context(info);
  const bool inverse = boolean(info, 2, "inverse");
  const size_t images = count(info, 3, "count");
  const uint32_t ny = device_size(info, 4, "ny"), nx = device_size(info, 5, "nx");
  const size_t floats = product(info, {images, ny, nx, 2});
  const Memory input = device_floats(info, 6, "input", floats), output = device_floats(info, 7, "output", floats);
  return Job::run(info.Env(), info[0], {}, [=](const JobControl&) {
    context->use([&](const LarmorCudaTable& table, LarmorCudaContext* c) {
      gpu::check_cuda(table.fft2(c, inverse, images, ny, nx, input->data(), output->data()), "fft2");
    });
  });
}

/// Arguments 2 to 9: batch, sets, coils, ny, nx, lines, maps, mask.
struct Encoding {
  LarmorCudaEncoding sizes{};
  Memory maps, mask;
  size_t images, kspace;  // floats

  explicit Encoding(const Napi::CallbackInfo& info) {
    sizes.batch = device_size(info, 2, "batch");
    sizes.sets = device_size(info, 3, "sets");
    sizes.coils = device_size(info, 4, "coils");
    sizes.ny = device_size(info, 5, "ny");
    sizes.nx = device_size(info, 6, "nx");
    sizes.lines = boolean(info, 7, "lines");
    images = product(info, {sizes.batch, sizes.sets, sizes.ny, sizes.nx, 2});
    kspace = product(info, {sizes.batch, sizes.coils, sizes.ny, sizes.nx, 2});
    maps = device_floats(info, 8, "maps", product(info, {images, sizes.coils}));
    mask = device_floats(info, 9, "mask", product(info, {sizes.batch, sizes.lines ? 1 : sizes.ny, sizes.nx}));
  }
  /// As the plugin takes it, inside CudaContext::use.
  LarmorCudaEncoding description() const {
    LarmorCudaEncoding result = sizes;
    result.device_maps = maps->data();
    result.device_mask = mask->data();
    return result;
  }
};

using EncodingFunction = decltype(LarmorCudaTable::encode);

Napi::Value run_encoding(const Napi::CallbackInfo& info, const Encoding& encoding, size_t from, size_t to, EncodingFunction LarmorCudaTable::*function,
                         const char* name) {
  const auto context = cuda_context(info);
  const Memory input = device_floats(info, 10, "input", from), output = device_floats(info, 11, "output", to);
  return Job::run(info.Env(), info[0], {}, [=](const JobControl&) {
    context->use([&](const LarmorCudaTable& table, LarmorCudaContext* c) {
      const LarmorCudaEncoding description = encoding.description();
      gpu::check_cuda((table.*function)(c, &description, input->data(), output->data()), name);
    });
  });
}

/// cudaEncodeForward(control, context, ...encoding, image, kspace): Promise<void>.
Napi::Value forward(const Napi::CallbackInfo& info) {
  const Encoding encoding(info);
  return run_encoding(info, encoding, encoding.images, encoding.kspace, &LarmorCudaTable::encode, "encode");
}

/// cudaEncodeAdjoint(control, context, ...encoding, kspace, image): Promise<void>.
Napi::Value adjoint(const Napi::CallbackInfo& info) {
  const Encoding encoding(info);
  return run_encoding(info, encoding, encoding.kspace, encoding.images, &LarmorCudaTable::encode_adjoint, "encode_adjoint");
}

/// cudaEncodeNormal(control, context, ...encoding, image, result): Promise<void>.
Napi::Value normal(const Napi::CallbackInfo& info) {
  const Encoding encoding(info);
  return run_encoding(info, encoding, encoding.images, encoding.images, &LarmorCudaTable::encode_normal, "encode_normal");
}

/// cudaSolveNormal(control, context, ...encoding, b, x, fromZero, lambda, iterations, tolerance): Promise<Float64Array [iterations, residual] of
/// every problem>; from zero, or from x as it is.
Napi::Value solve(const Napi::CallbackInfo& info) {
  const Encoding encoding(info);
  const auto context = cuda_context(info);
  const Memory b = device_floats(info, 10, "b", encoding.images), x = device_floats(info, 11, "x", encoding.images);
  LarmorCudaSolve options{};
  options.from_zero = boolean(info, 12, "fromZero");
  options.regularisation = static_cast<float>(number(info, 13, "lambda"));
  options.iterations = device_size(info, 14, "iterations");
  options.tolerance = static_cast<float>(number(info, 15, "tolerance"));
  const size_t batch = encoding.sizes.batch;
  const auto iterations = std::make_shared<std::vector<uint32_t>>(batch);
  const auto residuals = std::make_shared<std::vector<float>>(batch);
  return Job::run(
      info.Env(), info[0], {},
      [=](const JobControl& job) {
        context->use([&](const LarmorCudaTable& table, LarmorCudaContext* c) {
          job.checkpoint();
          const LarmorCudaEncoding description = encoding.description();
          gpu::check_cuda(table.solve_normal(c, &description, &options, b->data(), x->data(), iterations->data(), residuals->data()), "solve_normal");
        });
      },
      [=](Napi::Env env) {
        auto result = Napi::Float64Array::New(env, 2 * batch);
        for (size_t i = 0; i < batch; ++i) {
          result[2 * i] = (*iterations)[i];
          result[2 * i + 1] = (*residuals)[i];
        }
        return result;
      });
}

/// cudaAddScaled(control, context, factor, values, to): Promise<void>: to += factor values.
Napi::Value add_scaled(const Napi::CallbackInfo& info) {
  const auto context = cuda_context(info);
  const auto factor = static_cast<float>(number(info, 2, "factor"));
  const Memory values = device_memory(info, 3, "values");
  const size_t floats = values->bytes() / sizeof(float);
  const Memory to = device_floats(info, 4, "to", floats);
  return Job::run(info.Env(), info[0], {}, [=](const JobControl&) {
    context->use([&](const LarmorCudaTable& table, LarmorCudaContext* c) {
      gpu::check_cuda(table.add_scaled(c, floats, factor, values->data(), to->data()), "add_scaled");
    });
  });
}

}  // namespace

void export_cuda_operators(Napi::Env env, Napi::Object exports) {
  exports.Set("cudaFft2", Napi::Function::New(env, fft2, "cudaFft2"));
  exports.Set("cudaEncodeForward", Napi::Function::New(env, forward, "cudaEncodeForward"));
  exports.Set("cudaEncodeAdjoint", Napi::Function::New(env, adjoint, "cudaEncodeAdjoint"));
  exports.Set("cudaEncodeNormal", Napi::Function::New(env, normal, "cudaEncodeNormal"));
  exports.Set("cudaSolveNormal", Napi::Function::New(env, solve, "cudaSolveNormal"));
  exports.Set("cudaAddScaled", Napi::Function::New(env, add_scaled, "cudaAddScaled"));
}

}  // namespace larmor::addon
