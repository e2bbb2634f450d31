// Aligned memory for JavaScript: V8's own large arrays sit at 16 modulo 64 bytes, which halves the speed of wide loads.
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <limits>

#include "addon/addon.h"
#include "addon/args.h"

namespace larmor::addon {
namespace {

constexpr size_t kAlignment = 64;  // a cache line and a 512-bit register

/// From here on, zeroed memory comes as fresh pages: the system zeroes each when it is first touched, which happens in a job's threads.
constexpr size_t kPages = 1 << 20;

/// Memory that is not zeroed comes from the heap, whatever its size: pages used before cost no faults, which take longer than an FFT.
bool as_pages(size_t bytes, bool zeroed) { return zeroed && bytes >= kPages; }

void* obtain(size_t bytes, bool zeroed) {
  if (as_pages(bytes, zeroed)) {
    void* const pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? nullptr : pages;
  }
  void* const memory = std::aligned_alloc(kAlignment, bytes);
  if (memory != nullptr && zeroed) std::memset(memory, 0, bytes);
  return memory;
}

void release(void* memory, size_t bytes, bool zeroed) {
  if (as_pages(bytes, zeroed))
    munmap(memory, bytes);
  else
    std::free(memory);
}

/// allocate(bytes, zeroed): ArrayBuffer, 64-byte aligned; without `zeroed` for results that are written whole, off the event loop.
Napi::Value allocate(const Napi::CallbackInfo& info) {
  const size_t bytes = count(info, 0, "bytes");
  const bool zeroed = boolean(info, 1, "zeroed");
  const size_t rounded = (bytes / kAlignment + 1) * kAlignment;
  void* const memory = obtain(rounded, zeroed);
  if (memory == nullptr) fail(info.Env(), "ERR_OUT_OF_MEMORY", "addon: no memory for " + std::to_string(bytes) + " bytes");
  Napi::MemoryManagement::AdjustExternalMemory(info.Env(), static_cast<int64_t>(rounded));
  return Napi::ArrayBuffer::New(info.Env(), memory, bytes, [rounded, zeroed](Napi::Env env, void* data) {
    Napi::MemoryManagement::AdjustExternalMemory(env, -static_cast<int64_t>(rounded));
    release(data, rounded, zeroed);
  });
}

}  // namespace

void export_memory(Napi::Env env, Napi::Object exports) { exports.Set("allocate", Napi::Function::New(env, allocate, "allocate")); }

}  // namespace larmor::addon
