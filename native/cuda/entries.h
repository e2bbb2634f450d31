// The functions of the table, by family; plugin.h says what each does.
#pragma once
#include "cuda/plugin.h"

namespace larmor::cuda {

// devices.cc
LarmorCudaStatus device_count(int32_t* count);
LarmorCudaStatus describe_device(int32_t device, LarmorCudaDevice* description);

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

// vectors.cu
LarmorCudaStatus squared_norm(LarmorCudaContext* context, uint64_t count, const float* device_values, float* device_result);
LarmorCudaStatus scale(LarmorCudaContext* context, uint64_t count, float factor, float* device_values);

}  // namespace larmor::cuda
