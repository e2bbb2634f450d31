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

// vectors.cu
LarmorCudaStatus squared_norm(LarmorCudaContext* context, uint64_t count, const float* device_values, float* device_result);
LarmorCudaStatus scale(LarmorCudaContext* context, uint64_t count, float factor, float* device_values);

}  // namespace larmor::cuda
