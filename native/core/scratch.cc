// The blocks a thread keeps for its next task.
#include "core/scratch.h"

#include <cstdlib>
#include <new>
#include <vector>

#include "core/pages.h"

namespace larmor {
namespace {

constexpr size_t kKeptBlocks = 8;            // more than any of our tasks nests
constexpr size_t kKeptBytes = 32u << 20;     // per thread; larger blocks go back to the system

struct Block {
  void* memory;
  size_t bytes;
};

struct Kept {
  std::vector<Block> blocks;
  size_t bytes = 0;
  Kept() { blocks.reserve(kKeptBlocks); }
  ~Kept() {
    for (const Block& block : blocks) std::free(block.memory);
  }
};

thread_local Kept kept;

}  // namespace

Scratch::Scratch(size_t floats) : bytes_(block_bytes(floats * sizeof(float) + 1)) {
  auto best = kept.blocks.end();
  for (auto it = kept.blocks.begin(); it != kept.blocks.end(); ++it)
    if (it->bytes >= bytes_ && (best == kept.blocks.end() || it->bytes < best->bytes)) best = it;
  if (best != kept.blocks.end()) {
    data_ = static_cast<float*>(best->memory);
    bytes_ = best->bytes;
    kept.bytes -= bytes_;
    kept.blocks.erase(best);
    return;
  }
  data_ = static_cast<float*>(allocate_block(bytes_));
  if (data_ == nullptr) throw std::bad_alloc();
}

Scratch::~Scratch() {
  if (kept.blocks.size() == kKeptBlocks && kept.blocks.front().bytes < bytes_) {  // the oldest block is the least likely to be wanted
    kept.bytes -= kept.blocks.front().bytes;
    std::free(kept.blocks.front().memory);
    kept.blocks.erase(kept.blocks.begin());
  }
  if (kept.blocks.size() < kKeptBlocks && kept.bytes + bytes_ <= kKeptBytes) {
    kept.blocks.push_back({data_, bytes_});
    kept.bytes += bytes_;
  } else {
    std::free(data_);
  }
}

}  // namespace larmor
