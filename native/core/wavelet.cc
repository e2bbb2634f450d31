// Each level is one pass: rows are filtered as the filter across rows reaches them, so that a band is read once and written once.
#include "core/wavelet.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/scratch.h"
#include "core/vector_blocks.h"

namespace larmor {
namespace {

constexpr size_t kPairs = 32;  // of rows per task: two rows in 66 are filtered twice

WaveletTaps taps(WaveletFilter filter) {
  const double r = std::sqrt(3.0), d = 4 * std::sqrt(2.0), h = std::sqrt(0.5);
  const bool haar = filter == WaveletFilter::kHaar;  // two of whose four taps vanish
  const double low[4] = {haar ? 0 : (1 + r) / d, haar ? 0 : (3 + r) / d, haar ? h : (3 - r) / d, haar ? h : (1 - r) / d};
  const double high[4] = {haar ? 0 : low[3], haar ? 0 : -low[2], haar ? h : low[1], haar ? -h : -low[0]};
  WaveletTaps result;
  for (size_t k = 0; k < 4; ++k) {
    result.split[0][k] = static_cast<float>(low[k]);
    result.split[1][k] = static_cast<float>(high[k]);
  }
  for (size_t odd = 0; odd < 2; ++odd)
    for (size_t band = 0; band < 2; ++band) {
      result.join[odd][2 * band] = result.split[band][2 + odd];
      result.join[odd][2 * band + 1] = result.split[band][odd];
    }
  return result;
}

c32* complex(const Scratch& scratch) { return reinterpret_cast<c32*>(scratch.data()); }

size_t blocks_of(size_t pairs) { return (pairs + kPairs - 1) / kPairs; }

}  // namespace

/// The coarse band of the level at hand, in one of two buffers.
class Wavelet::Bands {
 public:
  explicit Bands(const Wavelet& wavelet) : even_(2 * wavelet.coarse_points(0)), odd_(2 * wavelet.coarse_points(1)) {}
  c32* coarse(size_t level) const { return complex(level % 2 == 0 ? even_ : odd_); }

 private:
  Scratch even_, odd_;
};

Wavelet::Wavelet(WaveletFilter filter, size_t ny, size_t nx, size_t levels, size_t coarsest) : ny_(ny), nx_(nx), taps_(taps(filter)) {
  const auto axis = [&](size_t n) { return Axis{n, n >= 2 && (n + 1) / 2 >= coarsest ? n / 2 : 0}; };
  while (levels_.size() < levels) {
    const Level level{axis(ny), axis(nx)};
    if (level.y.pairs + level.x.pairs == 0) break;
    levels_.push_back(level);
    ny = level.y.coarse();
    nx = level.x.coarse();
  }
}

/// The row filter over the image rows of a level, then the filter across rows. `coarse` [y.coarse, x.coarse] becomes the coarse band,
/// the details go to their places in `details` [ny_, nx_], shrunk where there is a threshold.
void Wavelet::split(const Parallel& parallel, const Level& level, const c32* in, Shift shift, const float* threshold, c32* coarse,
                    c32* details) const {
  const Kernels& k = kernels();
  const Axis y = level.y, x = level.x;
  const size_t n = x.n, half = x.coarse(), blocks = blocks_of(y.pairs);
  const auto settle = [&](size_t count, c32* band) {
    if (threshold != nullptr) k.soft_threshold(count, *threshold, band);
  };
  parallel(blocks + (y.rest() > 0), [&](size_t task) {
    const Scratch rows(2 * 4 * n), extended(2 * (n + 2));
    c32* const line = complex(extended) + 2;
    const auto filter_row = [&](size_t row, c32* to) {
      const c32* const from = in + (row + shift.y) % y.n * n;
      std::copy(from, from + shift.x, std::copy(from + shift.x, from + n, line));
      std::copy_n(line + 2 * x.pairs, x.rest(), to + x.pairs);
      if (x.pairs == 0) return;
      std::copy_n(line + 2 * x.pairs - 2, 2, line - 2);
      k.wavelet_split(x.pairs, taps_, line, to, to + half);
    };
    c32* at[4];
    for (size_t i = 0; i < 4; ++i) at[i] = complex(rows) + i * n;
    if (task == blocks) {
      for (size_t row = y.pairs; row < y.coarse(); ++row) {
        filter_row(row + y.pairs, at[0]);
        std::copy_n(at[0], half, coarse + row * half);
        std::copy_n(at[0] + half, x.pairs, details + row * nx_ + half);
        settle(x.pairs, details + row * nx_ + half);
      }
      return;
    }
    const size_t first = task * kPairs, last = std::min(first + kPairs, y.pairs);
    for (size_t pair = first; pair < last; ++pair) {
      for (size_t i = pair == first ? 0 : 2; i < 4; ++i) filter_row((2 * (pair + y.pairs) + i - 2) % (2 * y.pairs), at[i]);
      c32 *const low = details + pair * nx_ + half, *const high = details + (y.coarse() + pair) * nx_;
      const c32* const right[4] = {at[0] + half, at[1] + half, at[2] + half, at[3] + half};
      k.combine_rows(half, taps_.split[0], taps_.split[1], at, coarse + pair * half, high);
      k.combine_rows(x.pairs, taps_.split[0], taps_.split[1], right, low, high + half);
      settle(x.pairs, low);
      settle(n, high);
      std::swap(at[0], at[2]);
      std::swap(at[1], at[3]);
    }
  });
}

/// The inverse of split.
void Wavelet::join(const Parallel& parallel, const Level& level, const c32* coarse, const c32* details, Shift shift, c32* out) const {
  const Kernels& k = kernels();
  const Axis y = level.y, x = level.x;
  const size_t n = x.n, half = x.coarse(), blocks = blocks_of(y.pairs);
  parallel(blocks + (y.rest() > 0), [&](size_t task) {
    const Scratch bands(2 * 2 * (n + 2)), extended(2 * (n + 2));
    c32* const line = complex(extended) + 2;
    c32* const low[2] = {complex(bands) + 1, complex(bands) + n + 3};
    c32* const high[2] = {low[0] + half + 1, low[1] + half + 1};
    const auto store_row = [&](size_t row, c32* lows, c32* highs) {
      if (x.pairs > 0) {
        lows[-1] = lows[x.pairs - 1];
        highs[-1] = highs[x.pairs - 1];
        k.wavelet_join(x.pairs, taps_, lows, highs, line);
        std::copy_n(line - 2, 2, line + 2 * x.pairs - 2);
      }
      std::copy_n(lows + x.pairs, x.rest(), line + 2 * x.pairs);
      c32* const to = out + (row + shift.y) % y.n * n;
      std::copy(line + n - shift.x, line + n, to);
      std::copy(line, line + n - shift.x, to + shift.x);
    };
    if (task == blocks) {
      for (size_t row = y.pairs; row < y.coarse(); ++row) {
        std::copy_n(coarse + row * half, half, low[0]);
        std::copy_n(details + row * nx_ + half, x.pairs, high[0]);
        store_row(row + y.pairs, low[0], high[0]);
      }
      return;
    }
    const size_t first = task * kPairs, last = std::min(first + kPairs, y.pairs);
    for (size_t pair = first; pair < last; ++pair) {
      const size_t before = (pair + y.pairs - 1) % y.pairs;
      const c32 *const above = details + (y.coarse() + before) * nx_, *const below = details + (y.coarse() + pair) * nx_;
      const c32* const left[4] = {coarse + before * half, coarse + pair * half, above, below};
      const c32* const right[4] = {details + before * nx_ + half, details + pair * nx_ + half, above + half, below + half};
      k.combine_rows(half, taps_.join[0], taps_.join[1], left, low[0], low[1]);
      k.combine_rows(x.pairs, taps_.join[0], taps_.join[1], right, high[0], high[1]);
      store_row(2 * before, low[0], high[0]);
      store_row(2 * before + 1, low[1], high[1]);
    }
  });
}

size_t Wavelet::coarse_points(size_t level) const { return level < levels_.size() ? levels_[level].y.coarse() * levels_[level].x.coarse() : 0; }

void Wavelet::decompose(const Parallel& parallel, const c32* image, Shift shift, const float* threshold, const Bands& bands, c32* details) const {
  for (size_t l = 0; l < levels_.size(); ++l)
    split(parallel, levels_[l], l == 0 ? image : bands.coarse(l - 1), l == 0 ? shift : Shift{0, 0}, threshold, bands.coarse(l), details);
}

void Wavelet::compose(const Parallel& parallel, const Bands& bands, const c32* details, Shift shift, c32* image) const {
  for (size_t l = levels_.size(); l-- > 0;)
    join(parallel, levels_[l], bands.coarse(l), details, l == 0 ? shift : Shift{0, 0}, l == 0 ? image : bands.coarse(l - 1));
}

void Wavelet::forward(const Parallel& parallel, const c32* image, c32* coefficients) const {
  if (levels_.empty()) {
    std::copy_n(image, points(), coefficients);
    return;
  }
  const Bands bands(*this);
  decompose(parallel, image, {0, 0}, nullptr, bands, coefficients);
  const Level& last = levels_.back();
  for (size_t row = 0; row < last.y.coarse(); ++row)
    std::copy_n(bands.coarse(levels_.size() - 1) + row * last.x.coarse(), last.x.coarse(), coefficients + row * nx_);
}

void Wavelet::inverse(const Parallel& parallel, const c32* coefficients, c32* image) const {
  if (levels_.empty()) {
    std::copy_n(coefficients, points(), image);
    return;
  }
  const Bands bands(*this);
  const Level& last = levels_.back();
  for (size_t row = 0; row < last.y.coarse(); ++row)
    std::copy_n(coefficients + row * nx_, last.x.coarse(), bands.coarse(levels_.size() - 1) + row * last.x.coarse());
  compose(parallel, bands, coefficients, {0, 0}, image);
}

void Wavelet::shrink(const Parallel& parallel, float threshold, Shift shift, c32* image) const {
  if (levels_.empty()) {
    kernels().soft_threshold(points(), threshold, image);
    return;
  }
  const Scratch details(2 * points());
  const Bands bands(*this);
  decompose(parallel, image, shift, &threshold, bands, complex(details));
  const size_t last = levels_.size() - 1;
  kernels().soft_threshold(coarse_points(last), threshold, bands.coarse(last));
  compose(parallel, bands, complex(details), shift, image);
}

double Wavelet::norm(const Parallel& parallel, const c32* image) const {
  const Scratch scratch(2 * points());
  forward(parallel, image, complex(scratch));
  return VectorBlocks(parallel, 2 * points()).sum([&](size_t begin, size_t length) {
    return kernels().soft_threshold(length / 2, 0, complex(scratch) + begin / 2);
  });
}

}  // namespace larmor
