// Crop and weights of maps, and the share of calibration images they explain, against what their definitions say.
#include "core/map_support.h"

#include <random>
#include <vector>

#include "check.h"

namespace {

using larmor::c32;

void check_weights() {
  for (const double crop : {0.5, 0.8, 0.95}) {
    CHECK(larmor::map_weight(crop, crop, false) == 0 && larmor::map_weight(crop + 1e-6, crop, false) == 1);
    CHECK_CLOSE(larmor::map_weight(crop * crop, crop, true), 0.5, 1e-12);
    CHECK(larmor::map_weight(1, crop, true) == 1);
    CHECK(larmor::map_weight((2 * crop - 1) * (2 * crop - 1), crop, true) < 1e-12);
    double last = 0;
    for (double value = -0.1; value <= 1.1; value += 0.01) {
      const double weight = larmor::map_weight(value, crop, true);
      CHECK(weight >= last && weight <= 1);
      last = weight;
    }
  }
}

void check_crop() {
  std::mt19937_64 random(2);
  std::vector<float> values(10'000);
  // Rejected amplitudes near 0.1 in the object, near 0.7 in the background.
  for (size_t p = 0; p < values.size(); ++p) {
    const double rejected = (p % 3 == 0 ? 0.1 : 0.7) + std::uniform_real_distribution<double>(-0.08, 0.08)(random);
    values[p] = static_cast<float>(1 - rejected * rejected);
  }
  const double crop = larmor::automatic_crop(values.size(), values.data());
  CHECK(crop > 1 - 0.62 * 0.62 && crop < 1 - 0.18 * 0.18);
  const std::vector<float> same(100, 0.9f);
  const double any = larmor::automatic_crop(same.size(), same.data());
  CHECK(any >= 0 && any < 1);
}

void check_unexplained() {
  const size_t coils = 3, points = 5000;
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  std::vector<c32> maps(2 * coils * points), images(coils * points);
  std::vector<float> values(2 * points, 1);
  // Set 1 sees coil 0, set 2 coil 1; coil 2 remains.
  for (size_t p = 0; p < points; ++p) {
    maps[p] = {0, 1};
    maps[(coils + 1) * points + p] = {-1, 0};
    if (p % 2 == 1) values[p] = values[points + p] = 0;
  }
  double all = 0, left = 0, soft_left = 0;
  for (size_t i = 0; i < images.size(); ++i) {
    images[i] = {normal(random), normal(random)};
    const double energy = static_cast<double>(images[i].re) * images[i].re + static_cast<double>(images[i].im) * images[i].im;
    all += energy;
    left += i / points == 2 || i % points % 2 == 1 ? energy : 0;
    const double weight = i / points == 2 || i % points % 2 == 1 ? 0 : larmor::map_weight(0.7, 0.8, true);
    soft_left += (1 - weight * weight) * (1 - weight * weight) * energy;
  }
  const larmor::Pooled threads(2);
  for (const bool soft : {false, true}) {
    std::vector<c32> weighed = maps, x = images;
    std::vector<float> v = values;
    if (soft)
      for (float& value : v) value *= 0.7f;
    larmor::weigh_maps(threads, 2, coils, points, v.data(), soft ? 0.8 : 0.5, soft, weighed.data());
    CHECK_CLOSE(larmor::unexplained_share(threads, 2, coils, points, weighed.data(), x.data()), (soft ? soft_left : left) / all, 1e-6);
  }
  std::vector<c32> zeros(coils * points);
  CHECK(larmor::unexplained_share(threads, 2, coils, points, maps.data(), zeros.data()) == 0);
}

}  // namespace

int main() {
  check_weights();
  check_crop();
  check_unexplained();
  return larmor::test::finish();
}
