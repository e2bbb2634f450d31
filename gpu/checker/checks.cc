// Sizes, and the comparison that all checks share.
#include "checks.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "report.h"
#include "values.h"

namespace larmor::gpu_check {
namespace {

std::string times(std::initializer_list<uint32_t> factors) {
  std::string words;
  for (const uint32_t factor : factors) {
    if (!words.empty()) words += 'x';
    words += std::to_string(factor);
  }
  return words;
}

Floats chosen(const Floats& values, const std::vector<size_t>& at) {
  if (at.empty()) return values;
  Floats some;
  for (const size_t place : at) some.push_back(values[place]);
  return some;
}

bool same_bits(const Floats& a, const Floats& b) { return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0; }

}  // namespace

std::string Extent::words() const { return times({batch, sets, coils, ny, nx}); }
std::string Planes::words() const { return times({n, ci, co, height, width}); }

Sizes Sizes::small() {
  return {{{2, 1, 3, 12, 10}, {1, 2, 3, 5, 7}, {1, 1, 2, 1, 9}, {1, 1, 17, 4, 36}}, {{2, 2, 3, 6, 8}, {1, 5, 4, 5, 7}, {1, 1, 1, 2, 3}}};
}

Sizes Sizes::full() {
  Sizes sizes = small();
  // 372 = 4 3 31 and 368 = 16 23 are widths of real scans; 218x170 with two sets of maps; primes; more coils than a warp has lanes.
  const std::vector<Extent> extents{{1, 1, 15, 640, 368}, {2, 1, 16, 640, 372}, {4, 1, 15, 320, 320}, {2, 2, 8, 218, 170}, {1, 1, 5, 127, 61}, {1, 1, 40, 97, 32}, {1, 1, 20, 96, 80}};
  const std::vector<Planes> planes{{1, 2, 32, 640, 368}, {1, 64, 64, 320, 320}, {2, 32, 32, 92, 160}, {1, 128, 256, 80, 46}, {1, 512, 512, 20, 20}, {3, 17, 33, 41, 23}};
  sizes.extents.insert(sizes.extents.end(), extents.begin(), extents.end());
  sizes.planes.insert(sizes.planes.end(), planes.begin(), planes.end());
  return sizes;
}

void Checks::compare(const char* name, const std::string& what, const std::vector<Wanted>& wanted, const std::function<void()>& run, double limit) {
  ++made;
  try {
    double error = 0;
    bool repeats = true;
    std::vector<Floats> first;
    for (int round = 0; round < 2; ++round) {
      for (const Wanted& each : wanted) each.array.poison();
      run();
      for (size_t i = 0; i < wanted.size(); ++i) {
        Floats got = wanted[i].array.get();
        if (round == 1) {
          repeats = repeats && same_bits(got, first[i]);
          continue;
        }
        const double its = relative_error(chosen(got, wanted[i].at), wanted[i].values);
        error = std::isfinite(its) ? std::max(error, its) : its;
        first.push_back(std::move(got));
        if (!std::isfinite(error)) break;
      }
      if (!std::isfinite(error)) break;
    }
    const bool ok = error <= limit && repeats;
    if (!ok) ++wrong;
    Line().text("kind", "check").text("name", name).text("case", what).number("error", error).number("limit", limit).truth("repeats", repeats).truth("ok", ok).print();
  } catch (const std::exception& reason) {
    ++wrong;
    Line().text("kind", "check").text("name", name).text("case", what).truth("ok", false).text("reason", reason.what()).print();
  }
}

void Checks::fail(const char* name, const std::string& why) {
  ++made;
  ++wrong;
  Line().text("kind", "check").text("name", name).truth("ok", false).text("reason", why).print();
}

}  // namespace larmor::gpu_check
