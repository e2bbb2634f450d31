// Counter-based random numbers: a block of noise is drawn from its position alone, so any thread may draw it.
#include "core/noise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "core/cholesky.h"
#include "core/hermitian_eigen.h"
#include "core/kernels.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kBlock = 256;  // points of one task, of all coils

/// Two complex normal numbers of E|z|^2 = 1 from four random words, by Box and Muller.
void normal_pair(const uint32_t (&words)[4], c32* out) {
  for (size_t i = 0; i < 2; ++i) {
    const double uniform = (words[2 * i] + 0.5) * 0x1p-32, angle = 2 * std::numbers::pi * (words[2 * i + 1] * 0x1p-32);
    const double radius = std::sqrt(-std::log(uniform));
    out[i] = {static_cast<float>(radius * std::cos(angle)), static_cast<float>(radius * std::sin(angle))};
  }
}

}  // namespace

double condition_number(size_t n, const c64* matrix) {
  const HermitianEigen eigen(Serial{}, n, matrix);
  const double smallest = eigen.values()[n - 1];
  return smallest > 0 ? eigen.values()[0] / smallest : std::numeric_limits<double>::infinity();
}

bool whitening_matrix(size_t n, const c64* covariance, c32* matrix) {
  std::vector<c64> l(covariance, covariance + n * n), inverse(n * n, c64{0, 0});
  if (!cholesky_factor(Serial{}, n, l.data())) return false;
  double trace = 0;  // of covariance^-1, the squared norm of L^-1
  for (size_t j = 0; j < n; ++j)
    for (size_t i = j; i < n; ++i) {
      c64 sum{i == j ? 1.0 : 0.0, 0};
      for (size_t k = j; k < i; ++k) {
        const c64 p = l[i * n + k], q = inverse[k * n + j];
        sum.re -= p.re * q.re - p.im * q.im;
        sum.im -= p.re * q.im + p.im * q.re;
      }
      const double pivot = l[i * n + i].re;
      inverse[i * n + j] = {sum.re / pivot, sum.im / pivot};
      trace += inverse[i * n + j].re * inverse[i * n + j].re + inverse[i * n + j].im * inverse[i * n + j].im;
    }
  const double scale = std::sqrt(static_cast<double>(n) / trace);
  for (size_t i = 0; i < n * n; ++i) matrix[i] = {static_cast<float>(scale * inverse[i].re), static_cast<float>(scale * inverse[i].im)};
  return true;
}

bool noise_factor(size_t n, const c64* covariance, c32* factor) {
  std::vector<c64> l(covariance, covariance + n * n);
  if (!cholesky_factor(Serial{}, n, l.data())) return false;
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < n; ++j)
      factor[i * n + j] = j > i ? c32{0, 0} : c32{static_cast<float>(l[i * n + j].re), static_cast<float>(l[i * n + j].im)};
  return true;
}

void philox4x32(const uint32_t (&key)[2], uint32_t (&counter)[4]) {
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t{0xD2511F53} * counter[0], second = uint64_t{0xCD9E8D57} * counter[2];
    const uint32_t next[4] = {static_cast<uint32_t>(second >> 32) ^ counter[1] ^ k0, static_cast<uint32_t>(second),
                              static_cast<uint32_t>(first >> 32) ^ counter[3] ^ k1, static_cast<uint32_t>(first)};
    std::copy(next, next + 4, counter);
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
}

void add_noise(const Parallel& parallel, size_t coils, size_t points, const c32* factor, uint64_t seed, uint32_t replica, const c32* in,
               c32* out) {
  const uint32_t key[2] = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  parallel((points + kBlock - 1) / kBlock, [&](size_t block) {
    const size_t first = block * kBlock, count = std::min(kBlock, points - first);
    const Scratch memory(4 * coils * kBlock);
    c32 *const white = reinterpret_cast<c32*>(memory.data()), *const coloured = white + coils * kBlock;
    for (size_t c = 0; c < coils; ++c)
      for (size_t i = 0; i < kBlock; i += 2) {
        const uint64_t position = first + i;
        uint32_t words[4] = {static_cast<uint32_t>(position), static_cast<uint32_t>(position >> 32), static_cast<uint32_t>(c), replica};
        philox4x32(key, words);
        normal_pair(words, white + c * kBlock + i);
      }
    kernels().mix_coils(count, coils, coils, factor, white, kBlock, coloured, kBlock);
    for (size_t c = 0; c < coils; ++c)
      for (size_t i = 0; i < count; ++i) {
        const size_t at = c * points + first + i;
        const c32 noise = coloured[c * kBlock + i], base = in == nullptr ? c32{0, 0} : in[at];
        const bool measured = in == nullptr || base.re != 0 || base.im != 0;
        out[at] = measured ? c32{base.re + noise.re, base.im + noise.im} : c32{0, 0};
      }
  });
}

}  // namespace larmor
