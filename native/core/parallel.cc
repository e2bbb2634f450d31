// The process-wide pool: threads start on demand, sleep on a condition variable and never spin.
#include "core/parallel.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sched.h>
#endif

namespace larmor {
namespace {

constexpr int kMaxThreads = 256;  // bound on pool size whatever a caller asks for

/// One parallel loop; lives until its caller and every helper have let go.
struct Loop {
  size_t count;
  Parallel::Task task;
  void* context;
  std::atomic<size_t> next{0};
  int helpers_wanted;
  int helpers_active = 0;
  std::exception_ptr error;

  void work(std::mutex& mutex) {
    try {
      for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) task(context, i);
    } catch (...) {
      next.store(count, std::memory_order_relaxed);
      std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
    }
  }
};

class Pool {
 public:
  void run(Loop& loop) {
    {
      std::lock_guard lock(mutex_);
      queue_.push_back(&loop);
      waiting_helpers_ += loop.helpers_wanted;
      while (idle_ < waiting_helpers_ && static_cast<int>(threads_) < kMaxThreads) start_thread();
    }
    for (int i = 0; i < loop.helpers_wanted; ++i) wake_.notify_one();
    loop.work(mutex_);
    std::unique_lock lock(mutex_);
    for (auto it = queue_.begin(); it != queue_.end(); ++it)
      if (*it == &loop) {  // helpers that never came are no longer wanted
        waiting_helpers_ -= loop.helpers_wanted;
        queue_.erase(it);
        break;
      }
    finished_.wait(lock, [&] { return loop.helpers_active == 0; });
  }

 private:
  void start_thread() {
    ++threads_;
    ++idle_;
    std::thread([this] { serve(); }).detach();
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return !queue_.empty(); });
      Loop& loop = *queue_.front();
      --waiting_helpers_;
      if (--loop.helpers_wanted == 0) queue_.pop_front();
      ++loop.helpers_active;
      --idle_;
      lock.unlock();
      loop.work(mutex_);
      lock.lock();
      ++idle_;
      if (--loop.helpers_active == 0) finished_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, finished_;
  std::deque<Loop*> queue_;
  int waiting_helpers_ = 0, idle_ = 0;
  size_t threads_ = 0;
};

/// Never destroyed: detached threads may still sleep in it while the process exits.
Pool& pool() {
  static Pool* const instance = new Pool;
  return *instance;
}

}  // namespace

void Pooled::run(size_t count, Task task, void* context) const {
  const size_t limit = count < static_cast<size_t>(threads_) ? count : static_cast<size_t>(threads_);
  if (limit <= 1) {
    for (size_t i = 0; i < count; ++i) task(context, i);
    return;
  }
  Loop loop{.count = count, .task = task, .context = context, .helpers_wanted = static_cast<int>(limit) - 1, .error = nullptr};
  pool().run(loop);
  if (loop.error) std::rethrow_exception(loop.error);
}

int default_threads() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  const unsigned n = std::thread::hardware_concurrency();
  return n == 0 ? 1 : static_cast<int>(n);
}

}  // namespace larmor
