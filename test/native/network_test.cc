// Pooling, Adam and the search for infinities against plain loops in double, and bit-equality over thread counts.
#include "core/network.h"

#include <cmath>
#include <limits>
#include <vector>

#include "check.h"
#include "floats.h"

namespace {

using namespace larmor;
using namespace larmor::test;

void test_pooling_gradient() {
  const Floats dy = random_floats(2 * 2 * 3, 11);
  Floats dx(2 * 5 * 7, 9.0f);
  average_pool2x2_gradient(Pooled{2}, 2, 5, 7, dy.data(), dx.data());
  bool right = true;
  for (size_t i = 0; i < dx.size(); ++i) {
    const size_t column = i % 7, row = i / 7 % 5, plane = i / 35;
    right = right && dx[i] == (column == 6 || row == 4 ? 0.0f : dy[(plane * 2 + row / 2) * 3 + column / 2] / 4);
  }
  CHECK(right);
}

void test_adam() {
  constexpr size_t kLength = 70'003;
  const Floats start = random_floats(kLength, 7);
  Floats parameter = start, first(kLength), second(kLength);
  std::vector<double> p(start.begin(), start.end()), m(kLength), v(kLength);
  for (uint64_t step = 1; step <= 3; ++step) {
    const Floats gradient = random_floats(kLength, 10 + static_cast<unsigned>(step));
    Floats serial = parameter, serial_first = first, serial_second = second;
    const AdamOptions options{.learning_rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .step = step};
    adam_step(Serial{}, kLength, options, gradient.data(), serial.data(), serial_first.data(), serial_second.data());
    adam_step(Pooled{2}, kLength, options, gradient.data(), parameter.data(), first.data(), second.data());
    CHECK(bit_equal(serial, parameter));
    for (size_t i = 0; i < kLength; ++i) {
      m[i] = 0.9 * m[i] + 0.1 * gradient[i];
      v[i] = 0.999 * v[i] + 0.001 * gradient[i] * gradient[i];
      p[i] -= 1e-3 * (m[i] / (1 - std::pow(0.9, step))) / (std::sqrt(v[i] / (1 - std::pow(0.999, step))) + 1e-8);
    }
  }
  CHECK_CLOSE(relative_error(parameter, p), 0, 1e-6);
  CHECK_CLOSE(relative_error(first, m), 0, 1e-6);
  CHECK_CLOSE(relative_error(second, v), 0, 1e-6);
}

void test_finiteness() {
  for (size_t length : {1u, 17u, 70'003u}) {
    Floats x = random_floats(length, 8);
    CHECK(all_finite(Pooled{2}, length, x.data()));
    for (float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
      const float good = x[length - 1];
      x[length - 1] = bad;
      CHECK(!all_finite(Pooled{2}, length, x.data()));
      x[length - 1] = good;
    }
  }
  CHECK(all_finite(Serial{}, 0, nullptr));
}

}  // namespace

int main() {
  test_pooling_gradient();
  test_adam();
  test_finiteness();
  return finish();
}
