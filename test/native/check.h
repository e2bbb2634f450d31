// Assertions of the native unit tests: each test is a program that returns 0 when every check held.
#pragma once
#include <cmath>
#include <cstdio>

namespace larmor::test {

inline int failures = 0;

inline void check(bool ok, const char* what, const char* file, int line) {
  if (ok) return;
  ++failures;
  std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
}

inline void check_close(double got, double want, double tolerance, const char* what, const char* file, int line) {
  if (std::fabs(got - want) <= tolerance) return;
  ++failures;
  std::fprintf(stderr, "%s:%d: failed: %s: got %.17g, wanted %.17g within %g\n", file, line, what, got, want, tolerance);
}

inline int finish() {
  if (failures != 0) std::fprintf(stderr, "%d checks failed\n", failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace larmor::test

#define CHECK(condition) larmor::test::check((condition), #condition, __FILE__, __LINE__)
#define CHECK_CLOSE(got, want, tolerance) larmor::test::check_close((got), (want), (tolerance), #got, __FILE__, __LINE__)
