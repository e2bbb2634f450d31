// A library with cuFFT's interface: transforms straight from the definition, on the streams of the CUDA emulator.
#include "fake_cufft.h"

#include <complex>
#include <cstring>
#include <map>
#include <numbers>
#include <vector>

#include "cuda_runtime.h"

namespace {

struct Plan {
  std::vector<size_t> sizes;
  size_t batch = 0, work_bytes = 0;
  void* work = nullptr;
  cudaStream_t stream = nullptr;
};

std::map<int, Plan> plans;
int next_handle = 1;

using Complex = std::complex<double>;

/// Transforms along one axis of [outer, n, inner].
void transform(int direction, size_t outer, size_t n, size_t inner, std::vector<Complex>& x) {
  std::vector<Complex> roots(n), line(n);
  for (size_t i = 0; i < n; ++i) roots[i] = std::polar(1.0, direction * 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(n));
  for (size_t o = 0; o < outer; ++o)
    for (size_t i = 0; i < inner; ++i) {
      Complex* const at = x.data() + o * n * inner + i;
      for (size_t k = 0; k < n; ++k) {
        line[k] = 0;
        for (size_t j = 0; j < n; ++j) line[k] += at[j * inner] * roots[j * k % n];
      }
      for (size_t k = 0; k < n; ++k) at[k * inner] = line[k];
    }
}

void execute(const Plan& plan, float2* in, float2* out, int direction) {
  const size_t rows = plan.sizes.size() == 2 ? plan.sizes[0] : 1, columns = plan.sizes.back(), count = plan.batch * rows * columns;
  std::memset(plan.work, 0xff, plan.work_bytes);  // NaN: whoever shares this memory will notice
  std::vector<Complex> x(count);
  for (size_t i = 0; i < count; ++i) x[i] = {in[i].x, in[i].y};
  transform(direction, plan.batch * rows, columns, 1, x);
  if (rows > 1) transform(direction, plan.batch, rows, columns, x);
  for (size_t i = 0; i < count; ++i) out[i] = {static_cast<float>(x[i].real()), static_cast<float>(x[i].imag())};
}

}  // namespace

extern "C" {

#define FAKE_CUFFT_EXPORT __attribute__((visibility("default")))

FAKE_CUFFT_EXPORT FakeCufft fake_cufft;

FAKE_CUFFT_EXPORT int cufftGetVersion(int* version) {
  *version = fake_cufft.version;
  return 0;
}

FAKE_CUFFT_EXPORT int cufftCreate(int* handle) {
  *handle = next_handle++;
  plans[*handle];
  fake_cufft.plans = static_cast<int64_t>(plans.size());
  return 0;
}

FAKE_CUFFT_EXPORT int cufftDestroy(int handle) {
  const bool known = plans.erase(handle) == 1;
  fake_cufft.plans = static_cast<int64_t>(plans.size());
  return known ? 0 : 1;
}

FAKE_CUFFT_EXPORT int cufftSetAutoAllocation(int handle, int) { return plans.contains(handle) ? 0 : 1; }

FAKE_CUFFT_EXPORT int cufftMakePlanMany64(int handle, int rank, long long* sizes, long long* in_embed, long long, long long, long long* out_embed, long long, long long,
                                          int type, long long batch, size_t* work_bytes) {
  if (fake_cufft.fail_plan != 0) return fake_cufft.fail_plan;
  if (!plans.contains(handle) || rank < 1 || rank > 2 || in_embed != nullptr || out_embed != nullptr || type != 0x29 || batch < 1) return 4;
  Plan& plan = plans[handle];
  size_t points = 1;
  for (int i = 0; i < rank; ++i) {
    plan.sizes.push_back(static_cast<size_t>(sizes[i]));
    points *= plan.sizes.back();
  }
  plan.batch = static_cast<size_t>(batch);
  plan.work_bytes = *work_bytes = plan.batch * points * sizeof(float2);
  ++fake_cufft.plans_made;
  return 0;
}

FAKE_CUFFT_EXPORT int cufftSetStream(int handle, cudaStream_t stream) {
  if (!plans.contains(handle)) return 1;
  plans[handle].stream = stream;
  return 0;
}

FAKE_CUFFT_EXPORT int cufftSetWorkArea(int handle, void* work) {
  if (!plans.contains(handle)) return 1;
  plans[handle].work = work;
  return 0;
}

FAKE_CUFFT_EXPORT int cufftExecC2C(int handle, float2* in, float2* out, int direction) {
  if (!plans.contains(handle)) return 1;
  if (fake_cufft.fail_execution != 0) return fake_cufft.fail_execution;
  const Plan plan = plans[handle];
  if (plan.work == nullptr) return 6;
  const bool zeros = fake_cufft.zeros;
  plan.stream->work.push_back([=] {
    execute(plan, in, out, direction);
    if (zeros) std::memset(out, 0, plan.work_bytes);
    return cudaSuccess;
  });
  return 0;
}

}  // extern "C"
