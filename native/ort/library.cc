// Opens the library, reads its function table and turns its statuses into exceptions.
#include "ort/library.h"

#include <dlfcn.h>

#include <cstring>
#include <mutex>
#include <new>

namespace larmor::ort {
namespace {

struct Library {
  Api api;
  OrtEnv* environment;  // never released: it lives as long as the process
  const char* version;
};

std::mutex opening;
Library library;
bool opened = false;

constexpr char kMarker[] = "larmor error ";  // before the code in the status message of a custom operator

[[noreturn]] void fail_missing(const std::string& path, const std::string& reason) {
  throw CodedError("ERR_RUNTIME_MISSING", "ONNX Runtime: cannot load " + path + ": " + reason);
}

/// Whether ONNX Runtime, its arena of device memory, CUDA, cuBLAS or cuDNN says that memory ran out.
bool is_out_of_memory(const std::string& message) {
  for (const char* text : {"Failed to allocate memory", "std::bad_alloc", "bad allocation", "is smaller than requested bytes", "out of memory", "Out of memory",
                           "ALLOC_FAILED", "ALLOCATION_FAILED"})
    if (message.find(text) != std::string::npos) return true;
  return false;
}

}  // namespace

void open_library(const std::string& path) {
  std::lock_guard lock(opening);
  if (opened) return;
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) fail_missing(path, dlerror());
  const auto get_base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(handle, "OrtGetApiBase"));
  if (get_base == nullptr) fail_missing(path, "it does not export OrtGetApiBase");
  const OrtApiBase* const base = get_base();
  void* const* const table = base->GetApi(kApiVersion);
  if (table == nullptr)
    fail_missing(path, std::string("version ") + base->GetVersionString() + " is too old, need 1." + std::to_string(kApiVersion) + " or newer");
  Library loaded{};
#define LARMOR_ORT_READ(index, name, result, ...) loaded.api.name = reinterpret_cast<result (*)(__VA_ARGS__)>(table[index]);
  LARMOR_ORT_FUNCTIONS(LARMOR_ORT_READ)
#undef LARMOR_ORT_READ
  loaded.version = base->GetVersionString();
  library = loaded;
  check(library.api.CreateEnv(LogSeverity::fatal, "larmor", &library.environment), "CreateEnv");
  opened = true;
}

const Api& api() { return library.api; }
const OrtEnv* environment() { return library.environment; }
const char* library_version() { return library.version; }

void check(OrtStatus* status, const char* what, const char* code) {
  if (status == nullptr) return;
  std::string message = api().GetErrorMessage(status);
  api().ReleaseStatus(status);
  std::string found = code;
  if (const size_t marker = message.find(kMarker); marker != std::string::npos) {
    const size_t start = marker + sizeof kMarker - 1, end = message.find(": ", start);
    if (end != std::string::npos) {
      found = message.substr(start, end - start);
      message.erase(marker, end + 2 - marker);
    }
  } else if (is_out_of_memory(message)) {
    found = "ERR_OUT_OF_MEMORY";
  }
  throw CodedError(found, std::string("ONNX Runtime: ") + what + ": " + message);
}

OrtStatus* status_of_current_exception() noexcept {
  try {
    try {
      throw;
    } catch (const CodedError& error) {
      return api().CreateStatus(ErrorCode::fail, (kMarker + error.code() + ": " + error.what()).c_str());
    } catch (const std::bad_alloc&) {
      return api().CreateStatus(ErrorCode::fail, "std::bad_alloc");
    } catch (const std::exception& error) {
      return api().CreateStatus(ErrorCode::fail, error.what());
    }
  } catch (...) {
    return api().CreateStatus(ErrorCode::fail, "unknown exception");
  }
}

}  // namespace larmor::ort
