// Times copies and multiply-adds; the best of several, as other work on the machine only ever slows them.
#include "core/machine.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "core/kernels.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kRepetitions = 12;
constexpr size_t kChunk = size_t{1} << 18;  // bytes per task of a copy
constexpr size_t kRounds = 200'000;         // of multiply-adds: some milliseconds

template <class F>
double fastest_seconds(F&& work) {
  double best = 1e300;
  for (size_t i = 0; i < kRepetitions; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

}  // namespace

double copy_bandwidth(const Parallel& parallel, size_t bytes) {
  const size_t floats = (bytes + sizeof(float) - 1) / sizeof(float), chunks = (bytes + kChunk - 1) / kChunk;
  const Scratch from(floats), to(floats);
  std::memset(from.data(), 1, bytes);
  std::memset(to.data(), 2, bytes);
  const char* const source = reinterpret_cast<const char*>(from.data());
  char* const target = reinterpret_cast<char*>(to.data());
  const double seconds = fastest_seconds([&] {
    parallel(chunks, [&](size_t chunk) {
      const size_t begin = chunk * kChunk;
      std::memcpy(target + begin, source + begin, std::min(kChunk, bytes - begin));
    });
  });
  return 2 * static_cast<double>(bytes) / seconds;
}

double multiply_add_peak(const Parallel& parallel, size_t threads) {
  std::vector<float> results(threads, 0.5f);
  const double seconds = fastest_seconds([&] { parallel(threads, [&](size_t i) { results[i] = kernels().multiply_adds(kRounds, results[i]); }); });
  return static_cast<double>(threads * kRounds * kernels().multiply_add_operations) / seconds;
}

}  // namespace larmor
