// The same library that the plugin opens, with a plan and a work area of this program's own.
#include "plain_fft.h"

#include <dlfcn.h>

#include <cstdlib>

namespace larmor::gpu_check {

struct PlainFft::Library {
  int (*create)(int* plan);
  int (*destroy)(int plan);
  int (*auto_allocate)(int plan, int on);
  int (*make)(int plan, int rank, long long* n, long long* in, long long in_stride, long long in_distance, long long* out, long long out_stride, long long out_distance,
              int type, long long batch, size_t* work);
  int (*use_stream)(int plan, void* stream);
  int (*use_work)(int plan, void* work);
  int (*execute)(int plan, void* in, void* out, int direction);
};

const PlainFft::Library& PlainFft::library() {
  static const Library found = [] {
    void* opened = nullptr;
    const char* const names[] = {std::getenv("LARMOR_CUFFT"), std::getenv("CUFFT_PATH"), "libcufft.so.12", "libcufft.so.11"};
    for (const char* const name : names)
      if (opened == nullptr && name != nullptr) opened = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (opened == nullptr) throw std::runtime_error(dlerror());
    Library l{};
    const auto get = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(opened, name));
      if (function == nullptr) throw std::runtime_error(std::string("cuFFT has no ") + name);
    };
    get(l.create, "cufftCreate");
    get(l.destroy, "cufftDestroy");
    get(l.auto_allocate, "cufftSetAutoAllocation");
    get(l.make, "cufftMakePlanMany64");
    get(l.use_stream, "cufftSetStream");
    get(l.use_work, "cufftSetWorkArea");
    get(l.execute, "cufftExecC2C");
    return l;
  }();
  return found;
}

PlainFft::PlainFft(const Device& device, uint64_t batch, uint32_t ny, uint32_t nx) {
  constexpr int kComplexToComplex = 0x29;
  const Library& cufft = library();
  long long sizes[] = {ny, nx};
  const auto distance = static_cast<long long>(size_t{ny} * nx);
  size_t bytes = 0;
  if (cufft.create(&plan_) != 0 || cufft.auto_allocate(plan_, 0) != 0 ||
      cufft.make(plan_, 2, sizes, nullptr, 1, distance, nullptr, 1, distance, kComplexToComplex, static_cast<long long>(batch), &bytes) != 0 ||
      cufft.use_stream(plan_, device.stream()) != 0)
    throw std::runtime_error("cuFFT refused the plan");
  work_ = std::make_unique<Array>(device, bytes / sizeof(float) + 1);
  if (cufft.use_work(plan_, static_cast<float*>(*work_)) != 0) throw std::runtime_error("cuFFT refused the work area");
}

PlainFft::~PlainFft() { library().destroy(plan_); }

void PlainFft::forward(const Array& data) const {
  constexpr int kForward = -1;
  float* const samples = data;
  if (library().execute(plan_, samples, samples, kForward) != 0) throw std::runtime_error("cufftExecC2C failed");
}

}  // namespace larmor::gpu_check
