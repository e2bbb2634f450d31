// dlopen of cuFFT with a check of what was opened; plans made once and used many times.
#include "cuda/cufft.h"

#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "cuda/runtime.h"

namespace larmor::cuda {
namespace {

constexpr int kC2C = 0x29, kForward = -1, kInverse = 1;
constexpr int kOldest = 11000, kNewest = 12999;  // cuFFT's own numbers, of CUDA 12 and 13: their handles and arguments are those above
constexpr int kAllocationFailed = 2;             // CUFFT_ALLOC_FAILED

const char* result_name(int result) {
  static constexpr const char* kNames[] = {"CUFFT_SUCCESS",        "CUFFT_INVALID_PLAN",    "CUFFT_ALLOC_FAILED", "CUFFT_INVALID_TYPE", "CUFFT_INVALID_VALUE",
                                           "CUFFT_INTERNAL_ERROR", "CUFFT_EXEC_FAILED",     "CUFFT_SETUP_FAILED", "CUFFT_INVALID_SIZE", "CUFFT_UNALIGNED_DATA"};
  return result >= 0 && result < static_cast<int>(std::size(kNames)) ? kNames[result] : "an unknown error";
}

void check_cufft(int result, const char* call) {
  if (result == 0) return;
  throw Failure(result == kAllocationFailed ? LARMOR_CUDA_MEMORY : LARMOR_CUDA_FAILED, text(call, ": ", result_name(result), " (", result, ")"));
}

template <class Function>
void find(void* library, const std::string& file, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  if (function == nullptr) throw Failure(LARMOR_CUDA_UNAVAILABLE, text(file, " has no function ", name, ": it is not cuFFT"));
}

std::vector<std::string> candidates() {
  for (const char* variable : {"LARMOR_CUFFT", "CUFFT_PATH"})
    if (const char* const file = std::getenv(variable); file != nullptr && *file != '\0') return {file};
  return {"libcufft.so.12", "libcufft.so.11"};
}

void* open(std::string& file) {
  std::string reasons;
  for (const std::string& name : candidates()) {
    if (void* const library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      file = name;
      return library;
    }
    reasons += std::string(reasons.empty() ? "" : "; ") + dlerror();
  }
  throw Failure(LARMOR_CUDA_UNAVAILABLE, "lengths above 4096 or with a prime factor above 31 need cuFFT, which was not found; install it, or name its file in the environment variable LARMOR_CUFFT: " + reasons);
}

Cufft open_cufft() {
  std::string file;
  void* const library = open(file);
  try {
    Cufft result{};
    find(library, file, "cufftGetVersion", result.get_version);
    find(library, file, "cufftCreate", result.create);
    find(library, file, "cufftDestroy", result.destroy);
    find(library, file, "cufftSetAutoAllocation", result.set_auto_allocation);
    find(library, file, "cufftMakePlanMany64", result.make_plan_many64);
    find(library, file, "cufftSetStream", result.set_stream);
    find(library, file, "cufftSetWorkArea", result.set_work_area);
    find(library, file, "cufftExecC2C", result.exec_c2c);
    const int status = result.get_version(&result.version);
    if (status != 0 || result.version < kOldest || result.version > kNewest)
      throw Failure(LARMOR_CUDA_UNAVAILABLE, text(file, " has cuFFT version ", result.version, "; larmor can use ", kOldest, " to ", kNewest, " (CUDA 12 and 13)"));
    return result;
  } catch (...) {
    dlclose(library);
    throw;
  }
}

}  // namespace

const Cufft& cufft() {
  static std::mutex mutex;
  static Cufft library;
  static bool opened = false;
  const std::lock_guard lock(mutex);
  if (!opened) {
    library = open_cufft();
    opened = true;
  }
  return library;
}

int cufft_version() noexcept {
  try {
    return cufft().version;
  } catch (const Failure&) {
    return 0;
  }
}

Plans::Plan Plans::make(const PlanSizes& sizes) {
  Plan plan{sizes, 0, 0};
  std::array<long long, 2> lengths = {sizes.ny, sizes.nx};
  const bool rows = sizes.ny == 0;
  const long long points = rows ? sizes.nx : static_cast<long long>(sizes.ny) * sizes.nx;
  check_cufft(cufft().create(&plan.handle), "cufftCreate");
  try {
    check_cufft(cufft().set_auto_allocation(plan.handle, 0), "cufftSetAutoAllocation");
    check_cufft(cufft().make_plan_many64(plan.handle, rows ? 1 : 2, lengths.data() + rows, nullptr, 1, points, nullptr, 1, points, kC2C,
                                         static_cast<long long>(sizes.batch), &plan.work_bytes),
                "cufftMakePlanMany64");
    check_cufft(cufft().set_stream(plan.handle, stream_), "cufftSetStream");
  } catch (...) {
    cufft().destroy(plan.handle);
    throw;
  }
  return plan;
}

const Plans::Plan& Plans::plan(const PlanSizes& sizes) {
  for (auto known = plans_.begin(); known != plans_.end(); ++known)
    if (known->sizes == sizes) {
      plans_.splice(plans_.begin(), plans_, known);
      return plans_.front();
    }
  if (plans_.size() == kMost) {
    cufft().destroy(plans_.back().handle);
    plans_.pop_back();
  }
  plans_.push_front(make(sizes));
  return plans_.front();
}

void Plans::prepare(const PlanSizes& sizes) { const Scratch<char> work(memory_, plan(sizes).work_bytes); }

void Plans::transform(const PlanSizes& sizes, bool inverse, float2* data) {
  const Plan& chosen = plan(sizes);
  const Scratch<char> work(memory_, chosen.work_bytes);
  check_cufft(cufft().set_work_area(chosen.handle, work.data()), "cufftSetWorkArea");
  check_cufft(cufft().exec_c2c(chosen.handle, data, data, inverse ? kInverse : kForward), "cufftExecC2C");
}

void Plans::clear() noexcept {
  for (const Plan& plan : plans_) cufft().destroy(plan.handle);
  plans_.clear();
}

}  // namespace larmor::cuda
