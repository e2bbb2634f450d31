// GRAPPA and SPIRiT at odd sizes, alike for any thread count; SPIRiT finds k-space whose patches obey the theory exactly.
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>
#include <utility>
#include <vector>

#include "check.h"
#include "core/grappa.h"
#include "core/spirit.h"

using larmor::c32;

namespace {

constexpr size_t kCoils = 3, kRows = 19, kColumns = 21, kPlane = kRows * kColumns;

/// k-space of a few points of the image, seen with random weights by the coils: any neighbourhood determines its centre.
std::vector<c32> point_sources() {
  std::mt19937_64 random(8);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<c32> kspace(kCoils * kPlane, c32{0, 0});
  for (const auto& [row, column] : {std::pair<size_t, size_t>{2, 5}, {9, 17}, {14, 11}})
    for (size_t c = 0; c < kCoils; ++c) {
      const double re = uniform(random), im = uniform(random);
      for (size_t i = 0; i < kPlane; ++i) {
        const double turns = static_cast<double>(row * (i / kColumns)) / kRows + static_cast<double>(column * (i % kColumns)) / kColumns;
        const double wr = std::cos(2 * std::numbers::pi * turns), wi = std::sin(2 * std::numbers::pi * turns);
        kspace[c * kPlane + i].re += static_cast<float>(re * wr - im * wi);
        kspace[c * kPlane + i].im += static_cast<float>(re * wi + im * wr);
      }
    }
  return kspace;
}

/// The central 9 columns, or 9 x 9 points, and half of the rest.
std::vector<uint8_t> mask(bool lines) {
  std::mt19937_64 random(3);
  std::vector<uint8_t> sampled(kPlane);
  for (size_t i = 0; i < kPlane; ++i) {
    const size_t y = i / kColumns, x = i % kColumns;
    const bool centre = x >= 6 && x < 15 && (lines || (y >= 5 && y < 14));
    sampled[i] = centre || (lines ? x % 2 == 0 : random() % 2 == 0);
  }
  return sampled;
}

bool equal(const std::vector<c32>& a, const std::vector<c32>& b) { return std::memcmp(a.data(), b.data(), a.size() * sizeof(c32)) == 0; }

void check(bool lines) {
  const std::vector<c32> full = point_sources();
  const std::vector<uint8_t> sampled = mask(lines);
  std::vector<c32> kspace = full;
  for (size_t i = 0; i < kspace.size(); ++i)
    if (sampled[i % kPlane] == 0) kspace[i] = {0, 0};
  const larmor::CalibrationRegion region = lines ? larmor::CalibrationRegion{0, kRows, 6, 9} : larmor::CalibrationRegion{5, 9, 6, 9};
  const auto ignore = [](size_t) {};
  const larmor::Serial serial;
  const larmor::Pooled pooled(3);
  std::vector<c32> out(full.size()), again(full.size());

  for (const larmor::Grid kernel : {larmor::Grid{5, 5}, larmor::Grid{2, 7}, larmor::Grid{1, 1}}) {
    const auto result = larmor::grappa(serial, kCoils, kRows, kColumns, kspace.data(), sampled.data(), region, {.kernel = kernel}, out.data(), ignore);
    larmor::grappa(pooled, kCoils, kRows, kColumns, kspace.data(), sampled.data(), region, {.kernel = kernel}, again.data(), ignore);
    CHECK(equal(out, again));
    if (kernel.size() == 1) CHECK(result.unfilled == result.missing && result.patterns == 0);
    if (kernel.size() == 25) CHECK(result.unfilled == 0 && result.patterns > 0);
    for (size_t i = 0; i < kspace.size(); ++i)
      if (sampled[i % kPlane] != 0) CHECK(std::memcmp(&out[i], &full[i], sizeof(c32)) == 0);
  }

  const larmor::SpiritOptions options{.kernel = {3, 5}, .lambda = 1e-7, .solver = {.lambda = 0, .iterations = 300, .tolerance = 1e-5}};
  const auto result = larmor::spirit(serial, kCoils, kRows, kColumns, kspace.data(), sampled.data(), region, options, out.data(), ignore);
  larmor::spirit(pooled, kCoils, kRows, kColumns, kspace.data(), sampled.data(), region, options, again.data(), ignore);
  CHECK(equal(out, again));
  CHECK(result.solver.converged);
  double error = 0, energy = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    error += std::pow(out[i].re - full[i].re, 2) + std::pow(out[i].im - full[i].im, 2);
    energy += std::pow(full[i].re, 2) + std::pow(full[i].im, 2);
  }
  CHECK(std::sqrt(error / energy) < 1e-3);  // the ridge and the tolerance, seen through the least eigenvalue
}

}  // namespace

int main() {
  check(true);
  check(false);
  return larmor::test::finish();
}
