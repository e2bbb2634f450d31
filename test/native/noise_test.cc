// Random numbers against published vectors, drawn noise against its covariance, whitening against the identity.
#include "core/noise.h"

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "check.h"

using larmor::c32;
using larmor::c64;

namespace {

void philox() {
  const struct {
    uint32_t counter[4], key[2], wanted[4];
  } cases[] = {// the known answers of the authors' Random123 library
               {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
               {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
               {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
  for (const auto& [counter, key, wanted] : cases) {
    uint32_t words[4];
    std::memcpy(words, counter, sizeof words);
    larmor::philox4x32(key, words);
    for (size_t i = 0; i < 4; ++i) CHECK(words[i] == wanted[i]);
  }
}

/// Covariance B B^H + I of a random B.
std::vector<c64> covariance_of(size_t n) {
  std::mt19937_64 random(n);
  std::normal_distribution<double> normal;
  std::vector<c64> b(n * n), a(n * n);
  for (c64& value : b) value = {normal(random), normal(random)};
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      c64 sum{i == j ? 1.0 : 0.0, 0};
      for (size_t k = 0; k < n; ++k) {
        sum.re += b[i * n + k].re * b[j * n + k].re + b[i * n + k].im * b[j * n + k].im;
        sum.im += b[i * n + k].im * b[j * n + k].re - b[i * n + k].re * b[j * n + k].im;
      }
      a[i * n + j] = sum;
    }
  return a;
}

/// (1 / points) sum of y_i conj(y_j)
c64 moment(size_t points, const c32* a, const c32* b) {
  c64 sum{0, 0};
  for (size_t i = 0; i < points; ++i) {
    sum.re += static_cast<double>(a[i].re) * b[i].re + static_cast<double>(a[i].im) * b[i].im;
    sum.im += static_cast<double>(a[i].im) * b[i].re - static_cast<double>(a[i].re) * b[i].im;
  }
  return {sum.re / static_cast<double>(points), sum.im / static_cast<double>(points)};
}

void drawn_noise() {
  const size_t n = 3, points = 200001;
  const auto covariance = covariance_of(n);
  std::vector<c32> factor(n * n), noise(n * points), again(n * points), other(n * points);
  CHECK(larmor::noise_factor(n, covariance.data(), factor.data()));
  larmor::add_noise(larmor::Serial{}, n, points, factor.data(), 42, 0, nullptr, noise.data());
  larmor::add_noise(larmor::Pooled{4}, n, points, factor.data(), 42, 0, nullptr, again.data());
  CHECK(std::memcmp(noise.data(), again.data(), noise.size() * sizeof(c32)) == 0);
  std::vector<c32> measured(n * points, c32{2, -1});
  measured[5] = measured[points + 7] = {0, 0};
  larmor::add_noise(larmor::Serial{}, n, points, factor.data(), 42, 0, measured.data(), other.data());
  for (const size_t at : {size_t{5}, points + 7}) CHECK(other[at].re == 0 && other[at].im == 0);
  CHECK_CLOSE(other[6].re, 2 + noise[6].re, 1e-6);
  CHECK_CLOSE(other[6].im, -1 + noise[6].im, 1e-6);
  larmor::add_noise(larmor::Pooled{4}, n, points, factor.data(), 42, 1, nullptr, other.data());
  double square = 0;  // of the real parts, whose variance is half of all
  for (size_t i = 0; i < points; ++i) square += static_cast<double>(noise[i].re) * noise[i].re;
  const double deviations = 5 / std::sqrt(static_cast<double>(points));
  CHECK_CLOSE(square / static_cast<double>(points), covariance[0].re / 2, covariance[0].re / 2 * 1.5 * deviations);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      const double scale = std::sqrt(covariance[i * n + i].re * covariance[j * n + j].re) * deviations;
      const c64 found = moment(points, &noise[i * points], &noise[j * points]), across = moment(points, &noise[i * points], &other[j * points]);
      CHECK_CLOSE(found.re, covariance[i * n + j].re, scale);
      CHECK_CLOSE(found.im, covariance[i * n + j].im, scale);
      CHECK_CLOSE(across.re, 0, scale);
      CHECK_CLOSE(across.im, 0, scale);
    }
}

/// W covariance W^H = s^2 I with s^2 = n / trace(covariance^-1), which for a diagonal covariance is the harmonic mean.
void whitening(size_t n) {
  const auto covariance = covariance_of(n);
  std::vector<c32> w(n * n);
  CHECK(larmor::whitening_matrix(n, covariance.data(), w.data()));
  const auto entry = [&](size_t i, size_t j) {
    c64 sum{0, 0};
    for (size_t k = 0; k < n; ++k)
      for (size_t l = 0; l < n; ++l) {
        const c64 a{w[i * n + k].re, w[i * n + k].im}, c = covariance[k * n + l], b{w[j * n + l].re, -w[j * n + l].im};
        const c64 ac{a.re * c.re - a.im * c.im, a.re * c.im + a.im * c.re};
        sum.re += ac.re * b.re - ac.im * b.im;
        sum.im += ac.re * b.im + ac.im * b.re;
      }
    return sum;
  };
  const double level = entry(0, 0).re;
  CHECK(level > 0);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j) {
      CHECK_CLOSE(entry(i, j).re, i == j ? level : 0, 1e-4 * level);
      CHECK_CLOSE(entry(i, j).im, 0, 1e-4 * level);
    }
}

}  // namespace

int main() {
  philox();
  drawn_noise();
  for (const size_t n : {1, 2, 9}) whitening(n);
  const std::vector<c64> diagonal{{1, 0}, {0, 0}, {0, 0}, {4, 0}};
  std::vector<c32> w(4);
  CHECK(larmor::whitening_matrix(2, diagonal.data(), w.data()));
  const double s = std::sqrt(2 / (1 + 0.25));
  CHECK_CLOSE(w[0].re, s, 1e-6);
  CHECK_CLOSE(w[3].re, s / 2, 1e-6);
  CHECK_CLOSE(larmor::condition_number(2, diagonal.data()), 4, 1e-12);
  const std::vector<c64> singular{{1, 0}, {1, 0}, {1, 0}, {1, 0}};
  CHECK(!larmor::whitening_matrix(2, singular.data(), w.data()));
  CHECK(!larmor::noise_factor(2, singular.data(), w.data()));
  return larmor::test::finish();
}
