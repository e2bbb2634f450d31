// Contexts on CUDA devices and their memory, for JavaScript. Every call that may wait is a job.
#include "addon/addon.h"
#include "addon/cuda_arguments.h"
#include "addon/job_threads.h"
#include "core/network.h"

namespace larmor::addon {
namespace {

/// createCudaContext(control, device): Promise<handle>.
Napi::Value create_context(const Napi::CallbackInfo& info) {
  const int32_t device = device_number(info);
  const auto object = std::make_shared<CudaContextHandle>();
  return Job::run(
      info.Env(), info[0], {}, [=](const JobControl&) { object->context = gpu::CudaContext::create(device); },
      [object](Napi::Env env) { return make_handle(env, object); });
}

/// closeCudaContext(control, context): Promise<void>.
Napi::Value close_context(const Napi::CallbackInfo& info) {
  return Job::run(info.Env(), info[0], {}, [context = cuda_context(info)](const JobControl&) { context->close(); });
}

/// synchronizeCuda(control, context): Promise<void>; frees what was let go.
Napi::Value synchronize(const Napi::CallbackInfo& info) {
  return Job::run(info.Env(), info[0], {}, [context = cuda_context(info)](const JobControl&) {
    context->use([](const LarmorCudaTable& table, LarmorCudaContext* c) { gpu::check_cuda(table.synchronize(c), "synchronize"); });
  });
}

/// trimCuda(control, context): Promise<void>; frees scratch and plans.
Napi::Value trim(const Napi::CallbackInfo& info) {
  return Job::run(info.Env(), info[0], {}, [context = cuda_context(info)](const JobControl&) {
    context->use([](const LarmorCudaTable& table, LarmorCudaContext* c) { gpu::check_cuda(table.trim(c), "trim"); });
  });
}

/// cudaMemory(control, context): Promise<Float64Array [arrays, array bytes, work bytes, peak bytes]>.
Napi::Value memory(const Napi::CallbackInfo& info) {
  const auto use = std::make_shared<LarmorCudaMemory>();
  return Job::run(
      info.Env(), info[0], {},
      [context = cuda_context(info), use](const JobControl&) {
        context->use([&](const LarmorCudaTable& table, LarmorCudaContext* c) { gpu::check_cuda(table.memory(c, use.get()), "memory"); });
      },
      [use](Napi::Env env) {
        return numbers(env, {static_cast<double>(use->arrays), static_cast<double>(use->array_bytes), static_cast<double>(use->work_bytes),
                             static_cast<double>(use->peak_bytes)});
      });
}

/// allocateCuda(control, context, floats): Promise<handle>, uninitialised.
Napi::Value allocate(const Napi::CallbackInfo& info) {
  const auto context = cuda_context(info);
  const size_t floats = product(info, {count(info, 2, "floats"), 1});
  const auto object = std::make_shared<DeviceMemoryHandle>();
  return Job::run(
      info.Env(), info[0], {}, [=](const JobControl&) { object->memory = context->allocate(floats * sizeof(float)); },
      [object](Napi::Env env) { return make_handle(env, object); });
}

/// freeCuda(memory): JavaScript's share of it; freed at the context's next use, once no job holds it.
Napi::Value free(const Napi::CallbackInfo& info) {
  owner<DeviceMemoryHandle>(info, 0, "memory").reset();
  return info.Env().Undefined();
}

/// Part of a device's memory and an array of that size: arguments 2 to 4 are memory, offset in floats, data.
struct Transfer {
  std::shared_ptr<gpu::CudaContext> context;
  std::shared_ptr<gpu::DeviceMemory> memory;
  size_t offset, length;
  float* data;

  explicit Transfer(const Napi::CallbackInfo& info) : context(cuda_context(info)), memory(device_memory(info, 2, "memory")), offset(count(info, 3, "offset")) {
    if (!info[4].IsTypedArray()) fail_argument(info.Env(), "data", "a Float32Array");
    length = info[4].As<Napi::TypedArray>().ElementLength();
    const size_t room = memory->bytes() / sizeof(float);
    if (offset > room || length > room - offset) fail(info.Env(), "ERR_SHAPE", "addon: data reach beyond the memory");
    data = float32(info, 4, "data", length);
  }
  float* on_device() const { return memory->data() + offset; }
  size_t bytes() const { return length * sizeof(float); }
};

/// uploadCuda(control, context, memory, offset, data, threads): Promise<void>. Rejects NaN and infinity.
Napi::Value upload(const Napi::CallbackInfo& info) {
  const Transfer to(info);
  const size_t threads = count(info, 5, "threads");
  return Job::run(info.Env(), info[0], {info[4]}, [=](const JobControl& job) {
    if (!all_finite(JobThreads(job, threads), to.length, to.data))
      throw CodedError("ERR_NOT_FINITE", "upload: data hold NaN or infinity: check how they were read or scaled");
    to.context->use([&](const LarmorCudaTable& table, LarmorCudaContext* c) {
      gpu::check_cuda(table.upload(c, to.on_device(), to.data, to.bytes()), "upload");
    });
  });
}

/// downloadCuda(control, context, memory, offset, data): Promise<void>; waits for what computes the memory's contents.
Napi::Value download(const Napi::CallbackInfo& info) {
  const Transfer from(info);
  return Job::run(info.Env(), info[0], {info[4]}, [=](const JobControl&) {
    from.context->use([&](const LarmorCudaTable& table, LarmorCudaContext* c) {
      gpu::check_cuda(table.download(c, from.data, from.on_device(), from.bytes()), "download");
    });
  });
}

}  // namespace

void export_cuda_memory(Napi::Env env, Napi::Object exports) {
  exports.Set("createCudaContext", Napi::Function::New(env, create_context, "createCudaContext"));
  exports.Set("closeCudaContext", Napi::Function::New(env, close_context, "closeCudaContext"));
  exports.Set("synchronizeCuda", Napi::Function::New(env, synchronize, "synchronizeCuda"));
  exports.Set("trimCuda", Napi::Function::New(env, trim, "trimCuda"));
  exports.Set("cudaMemory", Napi::Function::New(env, memory, "cudaMemory"));
  exports.Set("allocateCuda", Napi::Function::New(env, allocate, "allocateCuda"));
  exports.Set("freeCuda", Napi::Function::New(env, free, "freeCuda"));
  exports.Set("uploadCuda", Napi::Function::New(env, upload, "uploadCuda"));
  exports.Set("downloadCuda", Napi::Function::New(env, download, "downloadCuda"));
}

}  // namespace larmor::addon
