// Aligned memory for JavaScript: V8's own large arrays sit at 16 modulo 64 bytes, which halves the speed of wide loads.
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include "addon/addon.h"
#include "addon/args.h"
#include "core/pages.h"

namespace larmor::addon {
namespace {

/// From here on, zeroed memory comes as fresh pages: the system zeroes each when it is first touched, which happens in a job's threads.
constexpr size_t kPages = 1 << 20;

/// Large blocks that were released last, for the next results of the same size: the system would zero fresh pages first, which takes a
/// fifth of the time of the FFT that fills them. Shared by all environments of the process.
class Recycled {
 public:
  void* take(size_t bytes) {
    const std::lock_guard lock(mutex_);
    for (size_t i = blocks_.size(); i-- > 0;)
      if (blocks_[i].bytes == bytes) {
        void* const memory = blocks_[i].memory;
        remove(i);
        return memory;
      }
    return nullptr;
  }

  /// Keeps the block, and frees the oldest ones that are too many then.
  void give(void* memory, size_t bytes) {
    if (bytes > kMostBytes) return std::free(memory);
    const std::lock_guard lock(mutex_);
    blocks_.push_back({memory, bytes});
    bytes_ += bytes;
    while (bytes_ > kMostBytes) {
      std::free(blocks_.front().memory);
      remove(0);
    }
  }

 private:
  static constexpr size_t kMostBytes = size_t{128} << 20;  // about what V8 lets unreachable memory outside its heap grow to before it collects

  struct Block {
    void* memory;
    size_t bytes;
  };
  void remove(size_t i) {
    bytes_ -= blocks_[i].bytes;
    blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(i));
  }

  std::mutex mutex_;
  std::vector<Block> blocks_;
  size_t bytes_ = 0;
};

/// Never destroyed: finalizers of other environments may still run while the process exits.
Recycled& recycled() {
  static Recycled* const instance = new Recycled;
  return *instance;
}

void* obtain_zeroed(size_t bytes) {
  if (bytes >= kPages) {
    void* const pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return nullptr;
    if (bytes >= kLargeBlock) prefer_large_pages(pages, bytes);
    return pages;
  }
  void* const memory = allocate_block(bytes);
  if (memory != nullptr) std::memset(memory, 0, bytes);
  return memory;
}

void* obtain(size_t bytes) {
  void* const used = bytes >= kLargeBlock ? recycled().take(bytes) : nullptr;
  return used != nullptr ? used : allocate_block(bytes);
}

void release(void* memory, size_t bytes, bool zeroed) {
  if (zeroed && bytes >= kPages)
    munmap(memory, bytes);
  else if (bytes >= kLargeBlock)
    recycled().give(memory, bytes);
  else
    std::free(memory);
}

/// allocate(bytes, zeroed): ArrayBuffer, 64-byte aligned; without `zeroed` for results that are written whole, off the event loop.
Napi::Value allocate(const Napi::CallbackInfo& info) {
  const size_t bytes = count(info, 0, "bytes");
  const bool zeroed = boolean(info, 1, "zeroed");
  const size_t rounded = block_bytes(bytes + 1);
  void* const memory = zeroed ? obtain_zeroed(rounded) : obtain(rounded);
  if (memory == nullptr) fail(info.Env(), "ERR_OUT_OF_MEMORY", "addon: no memory for " + std::to_string(bytes) + " bytes");
  // V8 counts the bytes itself; AdjustExternalMemory would count them twice and force a full collection every other result.
  return Napi::ArrayBuffer::New(info.Env(), memory, bytes, [rounded, zeroed](Napi::Env, void* data) { release(data, rounded, zeroed); });
}

}  // namespace

void export_memory(Napi::Env env, Napi::Object exports) { exports.Set("allocate", Napi::Function::New(env, allocate, "allocate")); }

}  // namespace larmor::addon
