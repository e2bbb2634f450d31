// The functions of the table, by family; plugin.h says what each does.
#pragma once
#include "cuda/plugin.h"

namespace larmor::cuda {

// devices.cc
LarmorCudaStatus device_count(int32_t* count);
LarmorCudaStatus describe_device(int32_t device, LarmorCudaDevice* description);

// self_test.cc
LarmorCudaStatus self_test(int32_t device);

// contexts.cc
LarmorCudaStatus context_create(int32_t device, LarmorCudaContext** context);
void context_destroy(LarmorCudaContext* context);
void* context_stream(LarmorCudaContext* context);
LarmorCudaStatus synchronize(LarmorCudaContext* context);
LarmorCudaStatus memory(LarmorCudaContext* context, LarmorCudaMemory* use);
LarmorCudaStatus trim(LarmorCudaContext* context);
LarmorCudaStatus allocate(LarmorCudaContext* context, uint64_t bytes, void** device_memory);
LarmorCudaStatus release(LarmorCudaContext* context, void* device_memory);
LarmorCudaStatus upload(LarmorCudaContext* context, void* device_to, const void* from, uint64_t bytes);
LarmorCudaStatus download(LarmorCudaContext* context, void* to, const void* device_from, uint64_t bytes);
LarmorCudaStatus copy(LarmorCudaContext* context, void* device_to, const void* device_from, uint64_t bytes);
LarmorCudaStatus fill_zero(LarmorCudaContext* context, void* device_memory, uint64_t bytes);

// fft.cu
LarmorCudaStatus fft2(LarmorCudaContext* context, int32_t inverse, uint64_t count, uint32_t ny, uint32_t nx, const float* device_in, float* device_out);

// encoding_entries.cu
LarmorCudaStatus encode(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_image, float* device_kspace);
LarmorCudaStatus encode_adjoint(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_kspace, float* device_image);
LarmorCudaStatus encode_normal(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_image, float* device_result);
LarmorCudaStatus encode_maps_gradient(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_image, const float* device_kspace,
                                      float* device_maps);
LarmorCudaStatus residual(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_image, const float* device_kspace,
                          float* device_residual);

// sample_step.cu
LarmorCudaStatus sample_step(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_kspace, const float* device_step,
                             const float* device_measured, const float* device_change, float* device_result);
LarmorCudaStatus sample_step_gradient(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_dy, const float* device_kspace,
                                      const float* device_measured, float* device_dstep);

// data_loss.cu
LarmorCudaStatus data_loss(LarmorCudaContext* context, int32_t norm, const LarmorCudaEncoding* encoding, const float* device_held_out, const float* device_image,
                           const float* device_kspace, float* device_loss, float* device_held_out_loss, float* device_gradient);

// conjugate_gradients.cu
LarmorCudaStatus solve_normal(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const LarmorCudaSolve* solve, const float* device_b,
                              float* device_x, uint32_t* iterations, float* residuals);

// espirit.cu
LarmorCudaStatus espirit_maps(LarmorCudaContext* context, const LarmorCudaEspirit* espirit, float* device_maps, float* device_values);

// instance_norm.cu
LarmorCudaStatus instance_norm(LarmorCudaContext* context, const LarmorCudaNorm* norm, float epsilon, const float* device_x, float* device_y,
                               float* device_mean, float* device_inverse_deviation);

// instance_norm_gradient.cu
LarmorCudaStatus instance_norm_gradient(LarmorCudaContext* context, const LarmorCudaNorm* norm, const float* device_dy, const float* device_x,
                                        const float* device_mean, const float* device_inverse_deviation, float* device_dx, float* device_dscale,
                                        float* device_dbias);
LarmorCudaStatus instance_norm_output_gradient(LarmorCudaContext* context, const LarmorCudaNorm* norm, const float* device_dy, const float* device_y,
                                               const float* device_inverse_deviation, float* device_dx);

// conv3x3.cu
LarmorCudaStatus conv3x3(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width, uint32_t split,
                         int32_t transposed, const float* device_x, const float* device_beside, const float* device_weights, uint32_t split_out,
                         float* device_y, float* device_y_beside);

// conv3x3_weight_gradient.cu
LarmorCudaStatus conv3x3_weight_gradient(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width,
                                         uint32_t split, const float* device_x, const float* device_beside, const float* device_dy, float* device_dw);

// weight_products.cu
LarmorCudaStatus conv1x1_weight_gradient(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint64_t pixels, const float* device_x,
                                         const float* device_dy, float* device_dw, float* device_dbias);
LarmorCudaStatus conv_transpose2x2_weight_gradient(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width,
                                                   const float* device_x, const float* device_dy, float* device_dw);

// conv_transpose2x2.cu
LarmorCudaStatus conv_transpose2x2(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width,
                                   const float* device_x, const float* device_weights, float* device_y);
LarmorCudaStatus conv_transpose2x2_input_gradient(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width,
                                                  const float* device_dy, const float* device_weights, float* device_dx);

// pooling.cu
LarmorCudaStatus average_pool2x2_gradient(LarmorCudaContext* context, uint64_t planes, uint32_t height, uint32_t width, const float* device_dy,
                                          float* device_dx);

// adam.cu
LarmorCudaStatus adam(LarmorCudaContext* context, const LarmorCudaAdam* options, uint64_t count, float* device_parameters,
                      const float* device_gradient, float* device_m, float* device_v);

// vectors.cu
LarmorCudaStatus squared_norm(LarmorCudaContext* context, uint64_t count, const float* device_values, float* device_result);
LarmorCudaStatus scale(LarmorCudaContext* context, uint64_t count, float factor, float* device_values);
LarmorCudaStatus add_scaled(LarmorCudaContext* context, uint64_t count, float factor, const float* device_values, float* device_to);
LarmorCudaStatus approach(LarmorCudaContext* context, uint64_t count, float rate, const float* device_values, float* device_to);

}  // namespace larmor::cuda
