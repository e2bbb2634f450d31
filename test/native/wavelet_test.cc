// The wavelet kernels equal their sums in double at lengths around the vector width; the transform is orthogonal, displaced or not, and
// shrinking is thresholding between the two transforms.
#include "core/wavelet.h"

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "check.h"

using larmor::c32;

namespace {

std::mt19937_64 generator(12);

std::vector<c32> noise(size_t n) {
  std::normal_distribution<float> normal;
  std::vector<c32> values(n);
  for (c32& value : values) value = {normal(generator), normal(generator)};
  return values;
}

double distance(const std::vector<c32>& a, const std::vector<c32>& b) {
  double difference = 0, energy = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(a[i].re - b[i].re, 2) + std::pow(a[i].im - b[i].im, 2);
    energy += std::pow(b[i].re, 2) + std::pow(b[i].im, 2);
  }
  return std::sqrt(difference / energy);
}

void check_kernels() {
  const larmor::Kernels& k = larmor::kernels();
  larmor::WaveletTaps taps;
  for (size_t band = 0; band < 2; ++band)
    for (size_t tap = 0; tap < 4; ++tap) {
      taps.split[band][tap] = 0.3f * static_cast<float>(tap) - static_cast<float>(band);
      taps.join[band][tap] = 1.1f - 0.4f * static_cast<float>(tap + 2 * band);
    }
  for (const size_t pairs : {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 40}) {
    const std::vector<c32> x = noise(2 * pairs + 2), low = noise(pairs + 1), high = noise(pairs + 1);
    std::vector<c32> a(pairs), b(pairs), joined(2 * pairs), first(pairs), second(pairs);
    k.wavelet_split(pairs, taps, x.data() + 2, a.data(), b.data());
    k.wavelet_join(pairs, taps, low.data() + 1, high.data() + 1, joined.data() + 2);
    const c32* const rows[4] = {low.data(), high.data(), x.data(), x.data() + pairs};
    k.combine_rows(pairs, taps.split[0], taps.split[1], rows, first.data(), second.data());
    for (size_t i = 0; i < pairs; ++i)
      for (const auto part : {&c32::re, &c32::im}) {
        double sums[6] = {};
        const float below[4] = {low[i].*part, low[i + 1].*part, high[i].*part, high[i + 1].*part};
        for (size_t tap = 0; tap < 4; ++tap) {
          for (size_t band = 0; band < 2; ++band) {
            sums[band] += static_cast<double>(taps.split[band][tap]) * static_cast<double>(x[2 * i + tap].*part);
            sums[2 + band] += static_cast<double>(taps.join[band][tap]) * static_cast<double>(below[tap]);
            sums[4 + band] += static_cast<double>(taps.split[band][tap]) * static_cast<double>(rows[tap][i].*part);
          }
        }
        CHECK_CLOSE(a[i].*part, sums[0], 2e-6);
        CHECK_CLOSE(b[i].*part, sums[1], 2e-6);
        CHECK_CLOSE(joined[2 * i].*part, sums[2], 2e-6);
        CHECK_CLOSE(joined[2 * i + 1].*part, sums[3], 2e-6);
        CHECK_CLOSE(first[i].*part, sums[4], 2e-6);
        CHECK_CLOSE(second[i].*part, sums[5], 2e-6);
      }
    std::vector<c32> shrunk = x;
    shrunk[0] = {0, 0};
    const std::vector<c32> before = shrunk;
    double left = 0;
    const double reported = k.soft_threshold(shrunk.size(), 0.8f, shrunk.data());
    for (size_t i = 0; i < shrunk.size(); ++i) {
      const double size = std::hypot(before[i].re, before[i].im), factor = size > 0.8 ? 1 - 0.8 / size : 0;
      left += size * factor;
      CHECK_CLOSE(shrunk[i].re, before[i].re * factor, 1e-6);
      CHECK_CLOSE(shrunk[i].im, before[i].im * factor, 1e-6);
    }
    CHECK_CLOSE(reported, left, 1e-6 * (left + 1));
  }
}

void check_transform(larmor::WaveletFilter filter, size_t ny, size_t nx) {
  const larmor::Wavelet wavelet(filter, ny, nx, 3, 2);
  const larmor::Serial serial;
  const std::vector<c32> image = noise(ny * nx);
  std::vector<c32> coefficients(ny * nx), back(ny * nx);
  wavelet.forward(serial, image.data(), coefficients.data());
  wavelet.inverse(serial, coefficients.data(), back.data());
  CHECK(distance(back, image) < 1e-6);
  double sum = 0;
  for (const c32 value : coefficients) sum += std::hypot(value.re, value.im);
  CHECK_CLOSE(wavelet.norm(serial, image.data()), sum, 1e-5 * sum);

  for (const larmor::Shift shift : {larmor::Shift{0, 0}, larmor::Shift{ny / 2, nx - 1}}) {
    std::vector<c32> rolled(ny * nx), wanted(ny * nx), shrunk = image, threaded = image;
    for (size_t y = 0; y < ny; ++y)
      for (size_t x = 0; x < nx; ++x) rolled[y * nx + x] = image[(y + shift.y) % ny * nx + (x + shift.x) % nx];
    wavelet.forward(serial, rolled.data(), coefficients.data());
    larmor::kernels().soft_threshold(ny * nx, 0.5f, coefficients.data());
    wavelet.inverse(serial, coefficients.data(), rolled.data());
    for (size_t y = 0; y < ny; ++y)
      for (size_t x = 0; x < nx; ++x) wanted[(y + shift.y) % ny * nx + (x + shift.x) % nx] = rolled[y * nx + x];
    wavelet.shrink(serial, 0.5f, shift, shrunk.data());
    CHECK(distance(shrunk, wanted) < 1e-6);
    wavelet.shrink(larmor::Pooled(3), 0.5f, shift, threaded.data());
    CHECK(std::memcmp(threaded.data(), shrunk.data(), ny * nx * sizeof(c32)) == 0);
  }
}

}  // namespace

int main() {
  check_kernels();
  for (const auto filter : {larmor::WaveletFilter::kHaar, larmor::WaveletFilter::kDaubechies4})
    for (const auto& [ny, nx] : {std::pair<size_t, size_t>{1, 1}, {1, 9}, {9, 1}, {2, 2}, {7, 5}, {64, 48}, {131, 77}})
      check_transform(filter, ny, nx);
  return larmor::test::finish();
}
