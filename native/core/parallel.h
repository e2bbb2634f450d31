// Parallel loops. Core code asks for a Parallel and never knows whose threads run it: ours, or ONNX Runtime's inside a custom op.
#pragma once
#include <cstddef>
#include <memory>
#include <type_traits>

namespace larmor {

/// Runs task(i) for i in [0, count), in any order, possibly at once.
///
/// How work is split into tasks must depend on sizes only, never on a thread count, and tasks must not add into shared
/// sums: give each task its own slot and combine the slots in order. Then results are bit-equal for any thread count.
class Parallel {
 public:
  using Task = void (*)(void* context, size_t index);
  virtual ~Parallel() = default;
  virtual void run(size_t count, Task task, void* context) const = 0;

  template <class F>
  void operator()(size_t count, F&& body) const {
    using Body = std::remove_reference_t<F>;
    run(count, [](void* context, size_t index) { (*static_cast<Body*>(context))(index); }, const_cast<std::remove_const_t<Body>*>(&body));
  }

  /// Throws when the caller wants no more: for long stretches between parallel loops.
  void poll() const {
    run(1, [](void*, size_t) {}, nullptr);
  }
};

/// Runs tasks on the calling thread, in order.
class Serial final : public Parallel {
 public:
  void run(size_t count, Task task, void* context) const override {
    for (size_t i = 0; i < count; ++i) task(context, i);
  }
};

/// Runs tasks on the calling thread and up to threads - 1 threads of the process-wide pool, which sleep when idle.
/// An exception thrown by a task is rethrown to the caller once every started task has ended.
class Pooled final : public Parallel {
 public:
  explicit Pooled(int threads) : threads_(threads < 1 ? 1 : threads) {}
  void run(size_t count, Task task, void* context) const override;

 private:
  int threads_;
};

/// Threads a job uses when its caller names no number: the processors this process may run on.
int default_threads();

}  // namespace larmor
