// cuFFT, opened when a length first needs it, and the plans that a context keeps.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <list>

#include "cuda/device_memory.h"

namespace larmor::cuda {

/// The functions of cuFFT that are used, as its documented binary interface has them; its header is not needed.
struct Cufft {
  using Handle = int;
  int (*get_version)(int* version);
  int (*create)(Handle* plan);
  int (*destroy)(Handle plan);
  int (*set_auto_allocation)(Handle plan, int allocate);
  int (*make_plan_many64)(Handle plan, int rank, long long* sizes, long long* in_embed, long long in_stride, long long in_distance, long long* out_embed,
                          long long out_stride, long long out_distance, int type, long long batch, size_t* work_bytes);
  int (*set_stream)(Handle plan, cudaStream_t stream);
  int (*set_work_area)(Handle plan, void* work);
  int (*exec_c2c)(Handle plan, float2* in, float2* out, int direction);
  int version;
};

/// The library, opened by the first call that can: the file that the environment names in LARMOR_CUFFT or CUFFT_PATH, else libcufft.so.12 (of
/// CUDA 13) or libcufft.so.11 (of CUDA 12). Throws LARMOR_CUDA_UNAVAILABLE with every name tried.
const Cufft& cufft();
/// The library's version, 0 where there is none to use.
int cufft_version() noexcept;

/// Transforms of `batch` images [ny, nx] lying one after the other, or of as many rows of nx where ny is 0.
struct PlanSizes {
  uint32_t ny, nx;
  uint64_t batch;
  bool operator==(const PlanSizes&) const = default;
};

/// The plans last used, at most kMost. Their work areas come from the context's scratch, one for all of them.
class Plans {
 public:
  static constexpr size_t kMost = 16;

  Plans(DeviceMemory& memory, cudaStream_t stream) : memory_(memory), stream_(stream) {}
  Plans(const Plans&) = delete;
  Plans& operator=(const Plans&) = delete;
  ~Plans() { clear(); }

  /// Makes sure of the plan and of memory for its work area.
  void prepare(const PlanSizes& sizes);
  /// Plain unscaled transforms in place, origin at index 0.
  void transform(const PlanSizes& sizes, bool inverse, float2* data);
  void clear() noexcept;

 private:
  struct Plan {
    PlanSizes sizes;
    Cufft::Handle handle;
    size_t work_bytes;
  };
  const Plan& plan(const PlanSizes& sizes);
  Plan make(const PlanSizes& sizes);

  DeviceMemory& memory_;
  cudaStream_t stream_;
  std::list<Plan> plans_;  // last used first
};

}  // namespace larmor::cuda
