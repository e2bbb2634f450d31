// Calls the plugin with the sizes that it takes.
#include "ort/cuda_compute.h"

#include <cstdint>
#include <string>

#include "core/coded_error.h"
#include "ort/library.h"

namespace larmor::ort {
namespace {

uint32_t size32(size_t n) {
  if (n > UINT32_MAX) throw CodedError("ERR_SHAPE", "CUDA: lengths must be below 2^32, got " + std::to_string(n));
  return static_cast<uint32_t>(n);
}

LarmorCudaEncoding encoding_of(const EncodingBatch& e) {
  return {.batch = size32(e.batch),
          .sets = 1,
          .coils = size32(e.coils),
          .ny = size32(e.ny),
          .nx = size32(e.nx),
          .lines = e.lines,
          .planar = 1,
          .device_maps = e.maps,
          .device_mask = e.mask};
}

LarmorCudaNorm norm_of(const InstanceNorm& norm) {
  return {.n = size32(norm.n),
          .channels = size32(norm.channels),
          .pixels = size32(norm.pixels),
          .device_scale = norm.scale,
          .device_bias = norm.bias,
          .slope = norm.slope};
}

struct Sizes {
  uint32_t n, height, width;
  explicit Sizes(const ImageBatch& images) : n(size32(images.n)), height(size32(images.height)), width(size32(images.width)) {}
};

void expect_stream(const OrtKernelContext* run, const CudaStream& stream) {
  void* of_run = nullptr;
  check(api().KernelContext_GetGPUComputeStream(run, &of_run), "KernelContext_GetGPUComputeStream", "ERR_DEVICE");
  if (of_run != stream.table->context_stream(stream.context))
    throw CodedError("ERR_INTERNAL", "ONNX Runtime runs the graph on another CUDA stream than the operators of larmor");
}

}  // namespace

Target cuda_target(const CudaStream& stream, const char* provider) {
  return {provider, [stream, provider](const OrtKernelContext* run) {
            if (provider != nullptr) expect_stream(run, stream);
            return std::make_shared<const CudaCompute>(stream);
          }};
}

void CudaCompute::check_status(LarmorCudaStatus status, const char* what) const {
  if (status == LARMOR_CUDA_OK) return;
  const char* const code = status == LARMOR_CUDA_MEMORY ? "ERR_OUT_OF_MEMORY" : status == LARMOR_CUDA_ARGUMENT ? "ERR_ARGUMENT" : "ERR_DEVICE";
  throw CodedError(code, std::string("CUDA: ") + what + ": " + table_.last_error());
}

// Every function of the table takes the context first.
#define LARMOR_CUDA_CALL(function, ...) check_status(table_.function(context_, __VA_ARGS__), #function)

void CudaCompute::encode(const EncodingBatch& encoding, const float* image, float* kspace) const {
  const LarmorCudaEncoding e = encoding_of(encoding);
  LARMOR_CUDA_CALL(encode, &e, image, kspace);
}

void CudaCompute::encode_adjoint(const EncodingBatch& encoding, const float* kspace, float* image) const {
  const LarmorCudaEncoding e = encoding_of(encoding);
  LARMOR_CUDA_CALL(encode_adjoint, &e, kspace, image);
}

void CudaCompute::encode_normal(const EncodingBatch& encoding, const float* image, float* result) const {
  const LarmorCudaEncoding e = encoding_of(encoding);
  LARMOR_CUDA_CALL(encode_normal, &e, image, result);
}

void CudaCompute::encode_maps_gradient(const EncodingBatch& encoding, const float* image, const float* kspace, float* maps) const {
  const LarmorCudaEncoding e = encoding_of(encoding);
  LARMOR_CUDA_CALL(encode_maps_gradient, &e, image, kspace, maps);
}

void CudaCompute::sample_step(const EncodingBatch& encoding, const float* kspace, const float* step, const float* measured, const float* change,
                              float* result) const {
  const LarmorCudaEncoding e = encoding_of(encoding);
  LARMOR_CUDA_CALL(sample_step, &e, kspace, step, measured, change, result);
}

void CudaCompute::sample_step_gradient(const EncodingBatch& encoding, const float* dy, const float* kspace, const float* measured,
                                       float* dstep) const {
  const LarmorCudaEncoding e = encoding_of(encoding);
  LARMOR_CUDA_CALL(sample_step_gradient, &e, dy, kspace, measured, dstep);
}

void CudaCompute::fft2(bool inverse, size_t count, size_t ny, size_t nx, const float* in, float* out) const {
  LARMOR_CUDA_CALL(fft2, inverse, count, size32(ny), size32(nx), in, out);
}

void CudaCompute::data_loss(LossNorm norm, const EncodingBatch& encoding, const float* held_out, const float* image, const float* kspace, float* loss,
                            float* held_out_loss, float* gradient) const {
  const LarmorCudaEncoding e = encoding_of(encoding);
  LARMOR_CUDA_CALL(data_loss, norm == LossNorm::kL1 ? 1 : 2, &e, held_out, image, kspace, loss, held_out_loss, gradient);
}

void CudaCompute::solve_normal(const EncodingBatch& encoding, size_t iterations, const float* weight, const float* b, float* x) const {
  const LarmorCudaEncoding e = encoding_of(encoding);
  const LarmorCudaSolve solve{.iterations = size32(iterations), .regularisation = 0, .device_weight = weight, .tolerance = 0, .from_zero = 1};
  LARMOR_CUDA_CALL(solve_normal, &e, &solve, b, x, nullptr, nullptr);
}

void CudaCompute::instance_norm(const InstanceNorm& norm, float epsilon, const float* x, float* y, float* mean, float* inverse_deviation) const {
  const LarmorCudaNorm n = norm_of(norm);
  LARMOR_CUDA_CALL(instance_norm, &n, epsilon, x, y, mean, inverse_deviation);
}

void CudaCompute::instance_norm_gradient(const InstanceNorm& norm, const float* dy, const float* x, const float* mean, const float* inverse_deviation,
                                         float* dx, float* dscale, float* dbias) const {
  const LarmorCudaNorm n = norm_of(norm);
  LARMOR_CUDA_CALL(instance_norm_gradient, &n, dy, x, mean, inverse_deviation, dx, dscale, dbias);
}

void CudaCompute::instance_norm_output_gradient(const InstanceNorm& norm, const float* dy, const float* y, const float* inverse_deviation,
                                                float* dx) const {
  const LarmorCudaNorm n = norm_of(norm);
  LARMOR_CUDA_CALL(instance_norm_output_gradient, &n, dy, y, inverse_deviation, dx);
}

void CudaCompute::conv3x3(const ImageBatch& images, const Channels<const float>& x, const float* weights, bool transposed,
                          const Channels<float>& y) const {
  const Sizes s(images);
  LARMOR_CUDA_CALL(conv3x3, s.n, size32(x.count), size32(y.count), s.height, s.width, size32(x.split), transposed, x.first, x.second, weights,
                   size32(y.split), y.first, y.second);
}

void CudaCompute::conv3x3_weight_gradient(const ImageBatch& images, const Channels<const float>& x, size_t co, const float* dy, float* dw) const {
  const Sizes s(images);
  LARMOR_CUDA_CALL(conv3x3_weight_gradient, s.n, size32(x.count), size32(co), s.height, s.width, size32(x.split), x.first, x.second, dy, dw);
}

void CudaCompute::conv1x1_weight_gradient(const ImageBatch& images, size_t ci, size_t co, const float* x, const float* dy, float* dw,
                                          float* dbias) const {
  LARMOR_CUDA_CALL(conv1x1_weight_gradient, size32(images.n), size32(ci), size32(co), images.height * images.width, x, dy, dw, dbias);
}

void CudaCompute::conv_transpose2x2(const ImageBatch& images, size_t ci, size_t co, const float* x, const float* weights, float* y) const {
  const Sizes s(images);
  LARMOR_CUDA_CALL(conv_transpose2x2, s.n, size32(ci), size32(co), s.height, s.width, x, weights, y);
}

void CudaCompute::conv_transpose2x2_input_gradient(const ImageBatch& images, size_t ci, size_t co, const float* dy, const float* weights,
                                                   float* dx) const {
  const Sizes s(images);
  LARMOR_CUDA_CALL(conv_transpose2x2_input_gradient, s.n, size32(ci), size32(co), s.height, s.width, dy, weights, dx);
}

void CudaCompute::conv_transpose2x2_weight_gradient(const ImageBatch& images, size_t ci, size_t co, const float* x, const float* dy,
                                                    float* dw) const {
  const Sizes s(images);
  LARMOR_CUDA_CALL(conv_transpose2x2_weight_gradient, s.n, size32(ci), size32(co), s.height, s.width, x, dy, dw);
}

void CudaCompute::average_pool2x2_gradient(size_t planes, size_t height, size_t width, const float* dy, float* dx) const {
  LARMOR_CUDA_CALL(average_pool2x2_gradient, planes, size32(height), size32(width), dy, dx);
}

void CudaCompute::copy(size_t count, const float* from, float* to) const { LARMOR_CUDA_CALL(copy, to, from, count * sizeof(float)); }

#undef LARMOR_CUDA_CALL

}  // namespace larmor::ort
