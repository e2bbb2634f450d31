// The blocks that wait for the next task: small ones with their thread, large ones for all threads.
#include "core/scratch.h"

#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include "core/pages.h"

namespace larmor {
namespace {

constexpr size_t kKeptBlocks = 8;            // more than any of our tasks nests
constexpr size_t kSharedBlock = 256u << 10;  // from here on a lock costs nothing beside filling the block, and jobs wander between threads
constexpr size_t kOwnBytes = 2u << 20;       // kept per thread
constexpr size_t kSharedBytes = 64u << 20;   // kept in all; more goes back to the system

/// Blocks in the order in which they were given back.
class Kept {
 public:
  explicit Kept(size_t most_bytes) : most_bytes_(most_bytes) { blocks_.reserve(kKeptBlocks); }
  ~Kept() {
    for (const Block& block : blocks_) std::free(block.memory);
  }

  /// The smallest block that holds `bytes`, which becomes its size; null when there is none.
  void* take(size_t& bytes) {
    auto best = blocks_.end();
    for (auto it = blocks_.begin(); it != blocks_.end(); ++it)
      if (it->bytes >= bytes && (best == blocks_.end() || it->bytes < best->bytes)) best = it;
    if (best == blocks_.end()) return nullptr;
    void* const memory = best->memory;
    bytes = best->bytes;
    bytes_ -= bytes;
    blocks_.erase(best);
    return memory;
  }

  void give(void* memory, size_t bytes) {
    if (blocks_.size() == kKeptBlocks && blocks_.front().bytes < bytes) {  // the oldest block is the least likely to be wanted
      bytes_ -= blocks_.front().bytes;
      std::free(blocks_.front().memory);
      blocks_.erase(blocks_.begin());
    }
    if (blocks_.size() == kKeptBlocks || bytes_ + bytes > most_bytes_) return std::free(memory);
    blocks_.push_back({memory, bytes});
    bytes_ += bytes;
  }

 private:
  struct Block {
    void* memory;
    size_t bytes;
  };
  size_t most_bytes_;
  std::vector<Block> blocks_;
  size_t bytes_ = 0;
};

thread_local Kept own(kOwnBytes);

struct Shared {
  std::mutex mutex;
  Kept blocks{kSharedBytes};
};

/// Never destroyed: threads of the pool may still hold blocks while the process exits.
Shared& shared() {
  static Shared* const instance = new Shared;
  return *instance;
}

}  // namespace

Scratch::Scratch(size_t floats) : bytes_(block_bytes(floats * sizeof(float) + 1)) {
  void* memory;
  if (bytes_ < kSharedBlock) {
    memory = own.take(bytes_);
  } else {
    const std::lock_guard lock(shared().mutex);
    memory = shared().blocks.take(bytes_);
  }
  if (memory == nullptr) memory = allocate_block(bytes_);
  if (memory == nullptr) throw std::bad_alloc();
  data_ = static_cast<float*>(memory);
}

Scratch::~Scratch() {
  if (bytes_ < kSharedBlock) {
    own.give(data_, bytes_);
  } else {
    const std::lock_guard lock(shared().mutex);
    shared().blocks.give(data_, bytes_);
  }
}

}  // namespace larmor
