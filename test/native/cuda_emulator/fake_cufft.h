// What the tests can ask of, and do to, the pretended cuFFT; found by the name `fake_cufft` in the library.
#pragma once
#include <cstdint>

struct FakeCufft {
  int version = 12000;
  bool zeros = false;       // transforms write zeros and report success
  int fail_plan = 0;        // the result that making a plan reports
  int fail_execution = 0;   // the result that executing one reports
  uint64_t plans_made = 0;  // so far
  int64_t plans = 0;        // now
};
