// How the plugin's functions fail: an exception inside, a status and this thread's message at the border.
#pragma once
#include <cstdint>
#include <exception>
#include <sstream>
#include <string>

#include "cuda/plugin.h"

namespace larmor::cuda {

/// What an entry of the table fails with.
class Failure : public std::exception {
 public:
  Failure(LarmorCudaStatus status, std::string message) : status_(status), message_(std::move(message)) {}
  LarmorCudaStatus status() const { return status_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  LarmorCudaStatus status_;
  std::string message_;
};

/// The parts, one after the other, as text.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// A size for people: "3.2 GiB".
std::string bytes_text(uint64_t bytes);

/// Throws LARMOR_CUDA_ARGUMENT with the parts as its message unless `ok`.
template <class... Parts>
void require(bool ok, const Parts&... parts) {
  if (!ok) throw Failure(LARMOR_CUDA_ARGUMENT, text(parts...));
}

/// Keeps "who: what" as the message of this thread's last failed call.
void remember_failure(const char* who, const char* what) noexcept;
const char* last_error();

/// Runs the body of a table's function; what it throws becomes the status and the message.
template <class Body>
LarmorCudaStatus guarded(const char* who, Body&& body) noexcept {
  try {
    body();
    return LARMOR_CUDA_OK;
  } catch (const Failure& failure) {
    remember_failure(who, failure.what());
    return failure.status();
  } catch (const std::exception& error) {
    remember_failure(who, error.what());
    return LARMOR_CUDA_FAILED;
  }
}

}  // namespace larmor::cuda
