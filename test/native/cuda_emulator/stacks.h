// Changing over between stacks: by hand where the processor is known, as ucontext's way makes a system call each time, else by ucontext.
#pragma once
#include <cstddef>
#include <cstdint>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace emulator {

#if defined(__x86_64__)

/// Leaves what a call must preserve on the stack, whose top goes to *from, and goes on where `to` was left.
extern "C" void emulator_change_stack(void** from, void* to);
asm(R"(
.text
.type emulator_change_stack, @function
emulator_change_stack:
  endbr64
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emulator_change_stack, .-emulator_change_stack
)");

struct Place {
  void* top = nullptr;
};

/// The place where a function, which never returns, begins on a stack of its own.
inline Place beginning(void (*function)(), char* stack, size_t bytes) {
  auto** top = reinterpret_cast<void**>((reinterpret_cast<uintptr_t>(stack) + bytes) & ~uintptr_t{15});
  *--top = nullptr;  // where it would return to; then the stack is aligned as after a call
  *--top = reinterpret_cast<void*>(function);
  for (int i = 0; i < 6; ++i) *--top = nullptr;
  return {top};
}

inline void change(Place& from, const Place& to) { emulator_change_stack(&from.top, to.top); }

#else

struct Place {
  ucontext_t context;
};

inline Place beginning(void (*function)(), char* stack, size_t bytes) {
  Place place;
  getcontext(&place.context);
  place.context.uc_stack.ss_sp = stack;
  place.context.uc_stack.ss_size = bytes;
  place.context.uc_link = nullptr;
  makecontext(&place.context, function, 0);
  return place;
}

inline void change(Place& from, const Place& to) { swapcontext(&from.context, &to.context); }

#endif

}  // namespace emulator
