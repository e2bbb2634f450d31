// Noll, Nishimura and Macovski, IEEE Trans Med Imaging 1991;10:154-163; Haacke, Lindskog and Lin, J Magn Reson 1991;92:126-145.
#include "core/partial_fourier.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/fft.h"

namespace larmor {
namespace {

void transform(const Parallel& parallel, const PartialFourier& p, bool inverse, c32* images) {
  if (p.along_y)
    fft_columns(parallel, inverse, p.batch, p.ny, p.nx, images, images);
  else
    fft_rows(parallel, inverse, p.batch * p.ny, p.nx, images, images);
}

/// Sum over all samples of body(index in the stack, position along the axis).
template <class Body>
double sum_samples(const Parallel& parallel, const PartialFourier& p, Body&& body) {
  std::vector<double> sums(p.batch * p.ny);
  parallel(sums.size(), [&](size_t row) {
    for (size_t x = 0; x < p.nx; ++x) sums[row] += body(row * p.nx + x, p.along_y ? row % p.ny : x);
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

template <class Body>
void each_sample(const Parallel& parallel, const PartialFourier& p, Body&& body) {
  sum_samples(parallel, p, [&](size_t i, size_t position) {
    body(i, position);
    return 0.0;
  });
}

size_t half_band(const PartialFourier& p) {
  const size_t centre = p.length() / 2;
  return std::min(centre - p.first, p.end - 1 - centre);
}

/// A Hann window over the band measured on both sides.
std::vector<float> band_window(const PartialFourier& p) {
  const auto half = static_cast<double>(half_band(p)), centre = std::floor(static_cast<double>(p.length()) / 2);
  std::vector<float> window(p.length());
  for (size_t k = 0; k < window.size(); ++k) {
    const double distance = std::fabs(static_cast<double>(k) - centre);
    if (distance <= half) window[k] = static_cast<float>(0.5 + 0.5 * std::cos(std::numbers::pi * distance / (half + 1)));
  }
  return window;
}

/// Weights of which those at k and -k add up to 2.
std::vector<float> ramp(const PartialFourier& p) {
  const auto half = static_cast<double>(half_band(p)), centre = std::floor(static_cast<double>(p.length()) / 2);
  const double side = centre - static_cast<double>(p.first) > half ? -1 : 1;
  std::vector<float> weights(p.length());
  for (size_t k = p.first; k < p.end; ++k)
    weights[k] = static_cast<float>(std::clamp(1 + side * (static_cast<double>(k) - centre) / (half + 0.5), 0.0, 2.0));
  if (p.length() % 2 == 0 && p.first == 0) weights[0] = 1;  // the highest frequency of an even length is its own opposite
  return weights;
}

void weigh(const Parallel& parallel, const PartialFourier& p, const std::vector<float>& weights, c32* kspace) {
  each_sample(parallel, p, [&](size_t i, size_t k) { kspace[i] = {weights[k] * kspace[i].re, weights[k] * kspace[i].im}; });
}

/// exp(i phase) of the image of the band measured on both sides.
std::vector<c32> band_phase(const Parallel& parallel, const PartialFourier& p, const c32* kspace) {
  std::vector<c32> phase(kspace, kspace + p.batch * p.ny * p.nx);
  weigh(parallel, p, band_window(p), phase.data());
  transform(parallel, p, true, phase.data());
  each_sample(parallel, p, [&](size_t i, size_t) {
    const float size = std::hypot(phase[i].re, phase[i].im);
    phase[i] = size > 0 ? c32{phase[i].re / size, phase[i].im / size} : c32{1, 0};
  });
  return phase;
}

}  // namespace

void homodyne(const Parallel& parallel, const PartialFourier& partial, c32* images) {
  transform(parallel, partial, false, images);
  const std::vector<c32> phase = band_phase(parallel, partial, images);
  weigh(parallel, partial, ramp(partial), images);
  transform(parallel, partial, true, images);
  each_sample(parallel, partial, [&](size_t i, size_t) {
    const float in_phase = images[i].re * phase[i].re + images[i].im * phase[i].im;
    images[i] = {in_phase * phase[i].re, in_phase * phase[i].im};
  });
}

PocsResult pocs(const Parallel& parallel, const PartialFourier& partial, size_t iterations, double tolerance, c32* images,
                const std::function<void(size_t)>& progress) {
  const auto measured = [&](size_t k) { return k >= partial.first && k < partial.end; };
  transform(parallel, partial, false, images);
  each_sample(parallel, partial, [&](size_t i, size_t k) {
    if (!measured(k)) images[i] = {0, 0};
  });
  std::vector<c32> kspace(images, images + partial.batch * partial.ny * partial.nx);
  const std::vector<c32> phase = band_phase(parallel, partial, images);
  transform(parallel, partial, true, images);

  PocsResult result{.iterations = 0, .change = 0, .converged = false};
  while (result.iterations < iterations && !result.converged) {
    each_sample(parallel, partial, [&](size_t i, size_t) {
      const float size = std::hypot(images[i].re, images[i].im);
      images[i] = {size * phase[i].re, size * phase[i].im};
    });
    transform(parallel, partial, false, images);
    const double changed = sum_samples(parallel, partial, [&](size_t i, size_t k) {
      if (measured(k)) {
        images[i] = kspace[i];
        return 0.0;
      }
      const double re = double{images[i].re} - kspace[i].re, im = double{images[i].im} - kspace[i].im;
      kspace[i] = images[i];
      return re * re + im * im;
    });
    const double energy = sum_samples(parallel, partial, [&](size_t i, size_t) { return double{kspace[i].re} * kspace[i].re + double{kspace[i].im} * kspace[i].im; });
    transform(parallel, partial, true, images);
    result.change = energy > 0 ? std::sqrt(changed / energy) : 0;
    result.converged = result.change <= tolerance;
    progress(++result.iterations);
  }
  return result;
}

}  // namespace larmor
