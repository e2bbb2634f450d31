// Factorisation, twiddles and sample order of a transform. Everything is computed in double and rounded once.
#include "core/fft_plan.h"

#include <cmath>
#include <complex>
#include <mutex>
#include <numbers>
#include <shared_mutex>
#include <stdexcept>
#include <unordered_map>

namespace larmor {
namespace {

constexpr uint32_t kLargestDirectPrime = 97;  // a dense step of prime p costs p products per sample; beyond, Bluestein is cheaper
constexpr size_t kLongest = size_t{1} << 24;

using Complexes = std::vector<std::complex<double>>;

/// exp(-2 pi i numerator / denominator).
c32 root_of_unity(uint64_t numerator, uint64_t denominator) {
  const double angle = 2 * std::numbers::pi * static_cast<double>(numerator % denominator) / static_cast<double>(denominator);
  return {static_cast<float>(std::cos(angle)), static_cast<float>(-std::sin(angle))};
}

/// Radices whose product is n, cheap ones first.
std::vector<uint32_t> factorise(size_t n) {
  std::vector<uint32_t> factors;
  for (uint32_t radix : {8u, 4u, 2u})
    for (; n % radix == 0; n /= radix) factors.push_back(radix);
  for (uint32_t radix = 3; static_cast<size_t>(radix) * radix <= n; radix += 2)
    for (; n % radix == 0; n /= radix) factors.push_back(radix);
  if (n > 1) factors.push_back(static_cast<uint32_t>(n));
  return factors;
}

constexpr size_t kSmoothPrimes[] = {2, 3, 5, 7};

bool is_smooth(size_t n) {
  for (const size_t prime : kSmoothPrimes)
    while (n % prime == 0) n /= prime;
  return n == 1;
}

/// The plain DFT of a smooth length in double precision, for tables only.
Complexes smooth_dft(const Complexes& x) {
  const size_t n = x.size();
  size_t radix = 1;
  for (const size_t prime : kSmoothPrimes)
    if (n % prime == 0) radix = prime;
  if (n == 1) return x;
  const size_t m = n / radix;
  Complexes result(n), part(m);
  for (size_t q = 0; q < radix; ++q) {
    for (size_t i = 0; i < m; ++i) part[i] = x[i * radix + q];
    const Complexes sub = smooth_dft(part);
    for (size_t k = 0; k < n; ++k)
      result[k] += sub[k % m] * std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(q * k % n) / static_cast<double>(n));
  }
  return result;
}

}  // namespace

FftPlan::FftPlan(size_t length) : scale_(static_cast<float>(1 / std::sqrt(static_cast<double>(length)))) {
  if (length < 1 || length > kLongest) throw std::invalid_argument("FFT length must lie in 1..16777216");
  steps_.length = length;
  const std::vector<uint32_t> factors = factorise(length);
  if (!factors.empty() && factors.back() > kLargestDirectPrime)
    plan_bluestein();
  else
    plan_passes(factors);

  // Centring moves sample j to j - floor(n/2) modulo n on both sides: only the order of loads and stores changes.
  time_slot_.resize(length);
  frequency_slot_.resize(length);
  for (size_t j = 0; j < length; ++j) {
    size_t rest = (j + length - length / 2) % length;
    frequency_slot_[j] = static_cast<uint32_t>(rest);
    size_t slot = 0, block = length;
    for (size_t t = passes_.size(); t-- > 0; rest /= passes_[t].radix) slot += rest % passes_[t].radix * (block /= passes_[t].radix);
    time_slot_[j] = static_cast<uint32_t>(passes_.empty() ? rest : slot);
  }
}

void FftPlan::plan_passes(const std::vector<uint32_t>& factors) {
  uint32_t block = 1;
  for (const uint32_t radix : factors) {
    std::vector<c32> twiddles(static_cast<size_t>(block) * (radix - 1)), roots;
    for (uint32_t j = 0; j < block; ++j)
      for (uint32_t q = 1; q < radix; ++q)
        twiddles[j * (radix - 1) + q - 1] = root_of_unity(static_cast<uint64_t>(j) * q, static_cast<uint64_t>(block) * radix);
    if (radix % 2 == 1)
      for (uint32_t j = 1; j <= radix / 2; ++j)
        for (uint32_t k = 1; k <= radix / 2; ++k) {
          const c32 root = root_of_unity(static_cast<uint64_t>(j) * k, radix);
          roots.push_back({root.re, -root.im});
        }
    passes_.push_back({radix, block, twiddles.data(), roots.data()});
    tables_.push_back(std::move(twiddles));
    tables_.push_back(std::move(roots));
    block *= radix;
  }
  steps_.passes = passes_.size();
  steps_.pass = passes_.data();
}

void FftPlan::plan_bluestein() {
  const size_t n = steps_.length;
  size_t padded = 2 * n - 1;
  while (!is_smooth(padded)) ++padded;
  inner_ = std::make_unique<const FftPlan>(padded);

  // jk = (j^2 + k^2 - (k - j)^2) / 2 turns the transform into a convolution with the conjugate chirp.
  chirp_.resize(n);
  Complexes kernel(padded);
  for (size_t j = 0; j < n; ++j) {
    const uint64_t square = static_cast<uint64_t>(j) * j % (2 * n);
    const double angle = std::numbers::pi * static_cast<double>(square) / static_cast<double>(n);
    chirp_[j] = {static_cast<float>(std::cos(angle)), static_cast<float>(-std::sin(angle))};
    kernel[j] = std::polar(1.0, angle);
    if (j > 0) kernel[padded - j] = kernel[j];
  }
  const Complexes spectrum = smooth_dft(kernel);
  spectrum_.resize(padded);
  for (size_t j = 0; j < padded; ++j) {
    const std::complex<double> value = spectrum[inner_->frequency_slot()[j]] / static_cast<double>(padded);
    spectrum_[inner_->time_slot()[j]] = {static_cast<float>(value.real()), static_cast<float>(value.imag())};
  }
  steps_.inner = &inner_->steps();
  steps_.chirp = chirp_.data();
  steps_.spectrum = spectrum_.data();
}

std::shared_ptr<const FftPlan> fft_plan(size_t length) {
  static std::shared_mutex mutex;
  static std::unordered_map<size_t, std::shared_ptr<const FftPlan>> plans;
  {
    std::shared_lock lock(mutex);
    if (const auto found = plans.find(length); found != plans.end()) return found->second;
  }
  auto plan = std::make_shared<const FftPlan>(length);
  std::unique_lock lock(mutex);
  return plans.emplace(length, std::move(plan)).first->second;
}

}  // namespace larmor
