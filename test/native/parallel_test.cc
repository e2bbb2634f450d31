// The pool runs every task exactly once, from several callers at once, and passes exceptions on.
#include "core/parallel.h"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.h"

int main() {
  using larmor::Pooled;
  for (int threads : {1, 2, 5}) {
    std::vector<std::atomic<int>> hits(1000);
    Pooled{threads}(hits.size(), [&](size_t i) { ++hits[i]; });
    bool once = true;
    for (auto& hit : hits) once = once && hit == 1;
    CHECK(once);
  }

  std::atomic<int> total{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 8; ++c)
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) Pooled{3}(20, [&](size_t) { ++total; });
    });
  for (auto& caller : callers) caller.join();
  CHECK(total == 8 * 50 * 20);

  bool thrown = false;
  try {
    Pooled{2}(100, [](size_t i) {
      if (i == 13) throw std::runtime_error("task");
    });
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  CHECK(thrown);

  std::atomic<int> nested{0};
  Pooled{2}(4, [&](size_t) { Pooled{2}(4, [&](size_t) { ++nested; }); });
  CHECK(nested == 16);
  return larmor::test::finish();
}
