// The CUDA plugin's table on host memory, in plain loops and double precision: what the addon and everything above it are tested with where
// there is no GPU. Independent of native/core. Environment variables make it fail:
//   REFERENCE_DEVICES (default 1), REFERENCE_FAULTY (device whose self-test fails), REFERENCE_ABI, REFERENCE_MEMORY (bytes a device has).
#include <atomic>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "cuda/plugin.h"

/// Bytes that the contexts of all devices hold.
static std::atomic<uint64_t> held = 0;

struct LarmorCudaContext {
  int32_t device;
  std::map<void*, uint64_t> memory;
  uint64_t peak = 0;
  uint64_t used() const {
    uint64_t sum = 0;
    for (const auto& [pointer, bytes] : memory) sum += bytes;
    return sum;
  }
};

namespace {

thread_local std::string message;

LarmorCudaStatus fail(LarmorCudaStatus status, const std::string& why) {
  message = why;
  return status;
}

int64_t setting(const char* name, int64_t fallback) {
  const char* const text = std::getenv(name);
  return text == nullptr ? fallback : std::atoll(text);
}

int32_t devices() { return static_cast<int32_t>(setting("REFERENCE_DEVICES", 1)); }
uint64_t capacity() { return static_cast<uint64_t>(setting("REFERENCE_MEMORY", int64_t{1} << 40)); }

LarmorCudaStatus device_count(int32_t* count) {
  *count = devices();
  return devices() < 0 ? fail(LARMOR_CUDA_UNAVAILABLE, "reference: the driver is too old") : LARMOR_CUDA_OK;
}

LarmorCudaStatus describe_device(int32_t device, LarmorCudaDevice* description) {
  if (device < 0 || device >= devices()) return fail(LARMOR_CUDA_ARGUMENT, "reference: no such device");
  *description = {};
  std::snprintf(description->name, sizeof description->name, "Reference %d", device);
  description->major = 9;
  description->multiprocessors = 4;
  description->driver_version = 13020;
  description->runtime_version = 13000;
  description->cufft_version = static_cast<int32_t>(setting("REFERENCE_CUFFT", 11303));
  description->memory_total = capacity();
  description->memory_free = capacity() - held;
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus self_test(int32_t device) {
  if (device == setting("REFERENCE_FAULTY", -1)) return fail(LARMOR_CUDA_UNAVAILABLE, "self-test: fft2 is wrong by 1.0");
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus context_create(int32_t device, LarmorCudaContext** context) {
  *context = new LarmorCudaContext{device, {}};
  return LARMOR_CUDA_OK;
}

/// Device memory that was not released is a leak the program must not have.
void context_destroy(LarmorCudaContext* context) {
  for (const auto& [pointer, bytes] : context->memory) {
    std::fprintf(stderr, "reference plugin: %llu bytes leaked\n", static_cast<unsigned long long>(bytes));
    std::abort();
  }
  delete context;
}

void* context_stream(LarmorCudaContext*) { return nullptr; }
LarmorCudaStatus synchronize(LarmorCudaContext*) { return LARMOR_CUDA_OK; }
LarmorCudaStatus trim(LarmorCudaContext*) { return LARMOR_CUDA_OK; }

LarmorCudaStatus memory(LarmorCudaContext* context, LarmorCudaMemory* use) {
  *use = {context->memory.size(), context->used(), 0, context->peak};
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus allocate(LarmorCudaContext* context, uint64_t bytes, void** device_memory) {
  if (context->used() + bytes > capacity()) return fail(LARMOR_CUDA_MEMORY, "cudaMalloc " + std::to_string(bytes) + " bytes: out of memory");
  *device_memory = std::malloc(bytes);
  std::memset(*device_memory, 0xff, bytes);  // NaN: what is read before it is written shows
  context->memory[*device_memory] = bytes;
  held += bytes;
  context->peak = std::max(context->peak, context->used());
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus release(LarmorCudaContext* context, void* device_memory) {
  const auto found = context->memory.find(device_memory);
  if (found == context->memory.end()) std::abort();  // freed twice, or never allocated
  held -= found->second;
  context->memory.erase(found);
  std::free(device_memory);
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus copy(LarmorCudaContext*, void* to, const void* from, uint64_t bytes) {
  std::memcpy(to, from, bytes);
  return LARMOR_CUDA_OK;
}

LarmorCudaStatus fill_zero(LarmorCudaContext*, void* to, uint64_t bytes) {
  std::memset(to, 0, bytes);
  return LARMOR_CUDA_OK;
}

#include "reference_encoding.h"
#include "reference_espirit.h"
#include "reference_network.h"
#include "reference_physics.h"
#include "reference_vectors.h"

}  // namespace

extern "C" __attribute__((visibility("default"))) const LarmorCudaTable* larmor_cuda_table() {
  static const LarmorCudaTable table = [] {
    LarmorCudaTable t{};
    t.abi = static_cast<uint32_t>(setting("REFERENCE_ABI", LARMOR_CUDA_ABI));
    t.size = sizeof t;
    t.last_error = [] { return message.c_str(); };
    t.device_count = device_count;
    t.describe_device = describe_device;
    t.self_test = self_test;
    t.context_create = context_create;
    t.context_destroy = context_destroy;
    t.context_stream = context_stream;
    t.synchronize = synchronize;
    t.memory = memory;
    t.trim = trim;
    t.allocate = allocate;
    t.release = release;
    t.upload = copy;
    t.download = copy;
    t.copy = copy;
    t.fill_zero = fill_zero;
    t.fft2 = fft2;
    t.espirit_maps = espirit_maps;
    t.add_scaled = add_scaled;
    t.encode = graph_encode;
    t.encode_adjoint = graph_adjoint;
    t.encode_normal = graph_normal;
    t.encode_maps_gradient = maps_gradient;
    t.sample_step = sample_step;
    t.sample_step_gradient = sample_step_gradient;
    t.data_loss = data_loss;
    t.solve_normal = graph_solve;
    t.instance_norm = instance_norm;
    t.instance_norm_gradient = instance_norm_gradient;
    t.instance_norm_output_gradient = instance_norm_output_gradient;
    t.conv3x3 = conv3x3;
    t.conv3x3_weight_gradient = conv3x3_weight_gradient;
    t.conv1x1_weight_gradient = conv1x1_weight_gradient;
    t.conv_transpose2x2 = conv_transpose2x2;
    t.conv_transpose2x2_input_gradient = conv_transpose2x2_input_gradient;
    t.conv_transpose2x2_weight_gradient = conv_transpose2x2_weight_gradient;
    t.average_pool2x2_gradient = average_pool2x2_gradient;
    t.adam = adam;
    t.squared_norm = squared_norm;
    t.scale = scale;
    t.approach = approach;
    return t;
  }();
  return &table;
}
