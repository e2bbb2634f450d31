// Memory that JavaScript lets go waits in a list until the context is next used, so that neither the event loop nor a finalizer waits.
#include "gpu/cuda_context.h"

namespace larmor::gpu {

CudaContext::CudaContext(int32_t device) : table_(cuda()), device_(device) {
  check_cuda(table_.context_create(device, &context_), "context_create");
}

std::shared_ptr<CudaContext> CudaContext::create(int32_t device) { return std::shared_ptr<CudaContext>(new CudaContext(device)); }

std::shared_ptr<DeviceMemory> CudaContext::allocate(uint64_t bytes) {
  void* data = nullptr;
  use([&](const LarmorCudaTable& table, LarmorCudaContext* context) {
    LarmorCudaStatus status = table.allocate(context, bytes, &data);
    if (status == LARMOR_CUDA_MEMORY && table.trim(context) == LARMOR_CUDA_OK) status = table.allocate(context, bytes, &data);
    check_cuda(status, "allocate");
    allocated_.insert(data);
  });
  return std::make_shared<DeviceMemory>(shared_from_this(), data, bytes);
}

void CudaContext::close() noexcept {
  const std::lock_guard lock(use_);
  if (context_ == nullptr) return;
  table_.synchronize(context_);
  for (void* const memory : allocated_) table_.release(context_, memory);
  allocated_.clear();
  table_.context_destroy(context_);
  context_ = nullptr;
}

void CudaContext::expect_open() const {
  if (context_ == nullptr) throw CodedError("ERR_CLOSED", "CudaContext: closed; open a new one");
}

void CudaContext::free_discarded() noexcept {
  std::vector<void*> discarded;
  {
    const std::lock_guard lock(discarding_);
    discarded.swap(discarded_);
  }
  for (void* const memory : discarded) {
    allocated_.erase(memory);
    table_.release(context_, memory);
  }
}

void CudaContext::discard(void* memory) noexcept {
  const std::lock_guard lock(discarding_);
  discarded_.push_back(memory);
}

}  // namespace larmor::gpu
