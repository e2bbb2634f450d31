// Threads of a block as fibers: a fiber runs thread after thread until one has to wait; then another fiber takes the rest.
#include "blocks.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "stacks.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulator {
namespace {

constexpr size_t kStack = size_t{256} << 10, kWarp = 32;

enum class State { kNew, kRunning, kAtBlockBarrier, kAtWarpBarrier, kDone };

struct Fiber {
  Place place;
  std::unique_ptr<char[]> stack{new char[kStack]};
  size_t thread = 0;
};

struct Thread {
  State state = State::kNew;
  Fiber* fiber = nullptr;
  size_t exchanges = 0;
};

/// Values that the lanes of a warp show one another: two sets in turn, so that nobody overwrites what others still have to read.
using Warp = std::array<std::array<std::array<char, 8>, kWarp>, 2>;

/// The block being run.
struct Block {
  const std::function<void()>* body = nullptr;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<char> shared;
  size_t started = 0, done = 0;
  bool reversed = false;
  Place scheduler;
  Fiber* running = nullptr;
};

Block block;
std::vector<std::unique_ptr<Fiber>> all_fibers;
std::vector<Fiber*> idle_fibers;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "CUDA emulator: block (%u, %u, %u): %s\n", blockIdx.x, blockIdx.y, blockIdx.z, what);
  std::abort();
}

// The address sanitizer wants to know on which stack it is.
#if defined(__SANITIZE_ADDRESS__)
void* scheduler_fake_stack = nullptr;
const void* scheduler_stack = nullptr;
size_t scheduler_stack_size = 0;
#endif

void enter(Fiber* fiber) {
  block.running = fiber;
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(&scheduler_fake_stack, fiber->stack.get(), kStack);
#endif
  change(block.scheduler, fiber->place);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(scheduler_fake_stack, nullptr, nullptr);
#endif
}

void leave(Fiber* fiber) {
#if defined(__SANITIZE_ADDRESS__)
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, scheduler_stack, scheduler_stack_size);
#endif
  change(fiber->place, block.scheduler);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(fake_stack, &scheduler_stack, &scheduler_stack_size);
#endif
}

void set_thread_index(size_t thread) {
  const auto i = static_cast<unsigned>(thread);
  threadIdx = {i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};
}

void fiber_main() {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack, &scheduler_stack_size);
#endif
  for (;;) {
    Fiber* const self = block.running;
    while (block.started < block.threads.size()) {
      const size_t turn = block.started++;
      self->thread = block.reversed ? block.threads.size() - 1 - turn : turn;
      block.threads[self->thread] = {State::kRunning, self, 0};
      set_thread_index(self->thread);
      (*block.body)();
      block.threads[self->thread].state = State::kDone;
      ++block.done;
    }
    idle_fibers.push_back(self);
    leave(self);
  }
}

Fiber* new_fiber() {
  all_fibers.push_back(std::make_unique<Fiber>());
  Fiber* const fiber = all_fibers.back().get();
  fiber->place = beginning(fiber_main, fiber->stack.get(), kStack);
  return fiber;
}

Fiber* take_fiber() {
  if (idle_fibers.empty()) return new_fiber();
  Fiber* const fiber = idle_fibers.back();
  idle_fibers.pop_back();
  return fiber;
}

void wait(State state) {
  Fiber* const self = block.running;
  const size_t thread = self->thread;
  block.threads[thread].state = state;
  leave(self);
  self->thread = thread;
  set_thread_index(thread);
}

bool all_wait(size_t first, size_t end, State state) {
  for (size_t i = first; i < end; ++i)
    if (block.threads[i].state != state) return false;
  return true;
}

/// Lets the threads of a barrier that all have reached go on; false if there is none.
bool release() {
  const size_t n = block.threads.size();
  bool any = false;
  const auto resume = [&](size_t first, size_t end) {
    any = true;
    for (size_t i = 0; i < end - first; ++i) {
      Thread& thread = block.threads[block.reversed ? end - 1 - i : first + i];
      thread.state = State::kRunning;
      enter(thread.fiber);
    }
  };
  if (all_wait(0, n, State::kAtBlockBarrier)) {
    resume(0, n);
    return true;
  }
  for (size_t first = 0; first < n; first += kWarp) {
    const size_t end = std::min(n, first + kWarp);
    if (all_wait(first, end, State::kAtWarpBarrier)) resume(first, end);
  }
  return any;
}

void run_block() {
  const size_t n = block.threads.size();
  std::fill(block.threads.begin(), block.threads.end(), Thread{});
  block.started = block.done = 0;
  while (block.started < n) enter(take_fiber());
  while (block.done < n)
    if (!release()) fail("threads wait for others that never come: a barrier inside a branch, or after a return");
}

size_t linear_thread() { return block.running->thread; }

}  // namespace

void run_grid(dim3 grid, dim3 size, size_t shared, bool reversed, const std::function<void()>& thread) {
  gridDim = grid;
  blockDim = size;
  block.body = &thread;
  block.reversed = reversed;
  block.threads.resize(size_t{size.x} * size.y * size.z);
  block.warps.resize((block.threads.size() + kWarp - 1) / kWarp);
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        blockIdx = {x, y, z};
        block.shared.assign(shared, '\xff');  // NaN
        run_block();
      }
}

void* dynamic_shared() { return block.shared.data(); }

void block_barrier() { wait(State::kAtBlockBarrier); }

int lane() { return static_cast<int>(linear_thread() % kWarp); }

void exchange(const void* value, void* result, size_t bytes, int source) {
  auto& values = block.warps[linear_thread() / kWarp][block.threads[linear_thread()].exchanges++ % 2];
  if (source < 0 || linear_thread() / kWarp * kWarp + static_cast<size_t>(source) >= block.threads.size())
    fail("a shuffle reads a lane that the block does not have");
  std::memcpy(values[static_cast<size_t>(lane())].data(), value, bytes);
  wait(State::kAtWarpBarrier);
  std::memcpy(result, values[static_cast<size_t>(source)].data(), bytes);
}

}  // namespace emulator
