// The ONNX Runtime library of this process: opened once, by path, and never closed.
#pragma once
#include <string>
#include <utility>

#include "core/coded_error.h"
#include "ort/api.h"

namespace larmor::ort {

/// Opens the library at `path`; once that has succeeded, every later call returns at once whatever its path.
/// Throws CodedError ERR_RUNTIME_MISSING when the file cannot be loaded or is too old.
void open_library(const std::string& path);

/// The functions of the opened library. Call open_library() first.
const Api& api();

/// The process-wide environment, shared with onnxruntime-node when that is loaded too.
const OrtEnv* environment();

/// Version of the opened library, such as "1.30.0".
const char* library_version();

/// Throws `status` unless it is null, and releases it. `what` names the call; `code` is the error's code unless the status
/// tells a better one (ERR_OUT_OF_MEMORY, the code of a custom operator's own CodedError).
void check(OrtStatus* status, const char* what, const char* code = "ERR_RUNTIME");

/// The status for the exception being handled, for callbacks that no exception may leave; check() restores its code.
OrtStatus* status_of_current_exception() noexcept;

/// Owns one object of the library: Owned<&Api::ReleaseSession, OrtSession>.
template <auto release, class T>
class Owned {
 public:
  Owned() = default;
  explicit Owned(T* pointer) : pointer_(pointer) {}
  Owned(Owned&& other) noexcept : pointer_(other.pointer_) { other.pointer_ = nullptr; }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { reset(); }
  /// Releases the object now.
  void reset() {
    if (pointer_ != nullptr) (api().*release)(pointer_);
    pointer_ = nullptr;
  }
  T* get() const { return pointer_; }
  /// Where a function of the library stores a new object.
  T** out() { return &pointer_; }

 private:
  T* pointer_ = nullptr;
};

}  // namespace larmor::ort
