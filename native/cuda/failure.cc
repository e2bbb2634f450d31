// The message of each thread's last failed call.
#include "cuda/failure.h"

#include <cstdio>

namespace larmor::cuda {
namespace {

// Of a fixed size, so that remembering a failure cannot fail itself.
thread_local char message[1024] = "";

}  // namespace

void remember_failure(const char* who, const char* what) noexcept { std::snprintf(message, sizeof message, "%s: %s", who, what); }

const char* last_error() { return message; }

std::string bytes_text(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  int unit = 0;
  for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
  char result[32];
  std::snprintf(result, sizeof result, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return result;
}

}  // namespace larmor::cuda
