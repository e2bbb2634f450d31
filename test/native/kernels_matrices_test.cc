// Kernels of matrices against plain loops in double: Hermitian ones, patches, one matrix per pixel.
#include <complex>

#include "core/kernels.h"
#include "kernel_truth.h"

namespace {

using namespace larmor;
using namespace larmor::test;
using Complex = std::complex<double>;

const Kernels& k = kernels();

Complex wide(const c32& x) { return {x.re, x.im}; }

/// A Hermitian matrix as the kernels store it, [n, stride], garbage above the diagonal.
struct Hermitian {
  size_t n, stride;
  std::vector<double> re, im;
  explicit Hermitian(size_t size, uint64_t seed) : n(size), stride(size + 3), re(values<double>(n * stride, seed)), im(values<double>(n * stride, seed + 1)) {
    for (size_t i = 0; i < n; ++i) im[i * stride + i] = 0;
  }
  Complex at(size_t i, size_t j) const {
    return i >= j ? Complex{re[i * stride + j], im[i * stride + j]} : Complex{re[j * stride + i], -im[j * stride + i]};
  }
};

void hermitian() {
  for (const size_t n : kLengths) {
    const Hermitian a(n, 1);
    const std::vector<double> ur = values<double>(n, 3), ui = values<double>(n, 4), wr = values<double>(n, 5), wi = values<double>(n, 6);
    std::vector<double> pr(n, 7), pi(n, 7), want_re, want_im;
    k.hermitian_multiply(n, a.stride, a.re.data(), a.im.data(), ur.data(), ui.data(), pr.data(), pi.data());
    for (size_t i = 0; i < n; ++i) {
      Complex sum = 0;
      for (size_t j = 0; j < n; ++j) sum += a.at(i, j) * Complex{ur[j], ui[j]};
      want_re.push_back(sum.real());
      want_im.push_back(sum.imag());
    }
    CHECK(worst(pr, want_re) < double_tolerance(4 * n) && worst(pi, want_im) < double_tolerance(4 * n));

    Hermitian b = a;
    k.hermitian_rank2(n, b.stride, ur.data(), ui.data(), wr.data(), wi.data(), b.re.data(), b.im.data());
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j <= i; ++j) {
        const Complex u{ur[i], ui[i]}, w{wr[i], wi[i]}, uj{ur[j], ui[j]}, wj{wr[j], wi[j]};
        const Complex want = a.at(i, j) - u * std::conj(wj) - w * std::conj(uj);
        CHECK_CLOSE(b.at(i, j).real(), want.real(), double_tolerance(8));
        if (i != j) CHECK_CLOSE(b.at(i, j).imag(), want.imag(), double_tolerance(8));
      }
  }
}

/// Entry (i, j) of a matrix packed by rows of the lower triangle, each re, im, the diagonal re alone; `get(e)` is packed entry e.
template <class Get>
Complex packed(size_t i, size_t j, Get&& get) {
  if (i < j) return std::conj(packed(j, i, get));
  const size_t e = i * i + 2 * j;
  return {get(e), i == j ? 0.0 : get(e + 1)};
}

/// Diagonal-dominant matrices whose leading eigenvectors are known to power iteration: M v = value v must hold, the largest value first.
void eigenvectors() {
  const size_t pixels = 32, points = 3, coils = 4, sets = 2, entries = coils * coils;
  std::vector<float> grid = values<float>(entries * points, 1), weights(points * pixels);
  for (size_t g = 0; g < points; ++g) {
    for (size_t e = 0; e < entries; ++e) grid[e * points + g] *= 0.1f;
    for (size_t c = 0; c < coils; ++c) grid[(c * c + 2 * c) * points + g] = 1.0f / static_cast<float>(1 + 3 * c);
  }
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = 0.2f + 0.1f * static_cast<float>(i % 5);
  std::vector<float> vectors = values<float>(sets * coils * 2 * pixels, 2), got(sets * pixels), scratch(16 * coils * (coils + 2 * (sets + 1)));
  k.leading_eigenvectors(pixels, points, coils, sets, 200, 1e-6f, grid.data(), weights.data(), vectors.data(), got.data(), scratch.data());
  for (size_t x = 0; x < pixels; ++x) {
    const auto entry = [&](size_t e) {
      double sum = 0;
      for (size_t g = 0; g < points; ++g) sum += static_cast<double>(grid[e * points + g]) * weights[g * pixels + x];
      return sum;
    };
    CHECK(got[x] > got[pixels + x]);
    for (size_t s = 0; s < sets; ++s) {
      const auto v = [&](size_t c) { return Complex{vectors[((s * coils + c) * 2) * pixels + x], vectors[((s * coils + c) * 2 + 1) * pixels + x]}; };
      double residual = 0, energy = 0;
      for (size_t i = 0; i < coils; ++i) {
        Complex sum = 0;
        for (size_t j = 0; j < coils; ++j) sum += packed(i, j, entry) * v(j);
        if (s == 0) residual += std::norm(sum - static_cast<double>(got[x]) * v(i));
        energy += std::norm(v(i));
      }
      CHECK(energy > 0 && std::isfinite(energy));
      // A second vector converges within the complement of the first, to which its own residual does not belong.
      if (s == 0) CHECK(std::sqrt(residual / energy) < 1e-5 * got[x]);
    }
  }
}

void patches() {
  for (const size_t n : kLengths)
    for (const size_t shifts : {1, 3, 4, 6}) {
      const std::vector<double> ar = values<double>(n, 1), ai = values<double>(n, 2), br = values<double>(n + shifts, 3), bi = values<double>(n + shifts, 4);
      std::vector<double> re(shifts), im(shifts);
      k.correlate(n, shifts, ar.data(), ai.data(), br.data(), bi.data(), re.data(), im.data());
      for (size_t s = 0; s < shifts; ++s) {
        Complex sum = 0;
        for (size_t i = 0; i < n; ++i) sum += Complex{ar[i], ai[i]} * Complex{br[i + s], -bi[i + s]};
        CHECK_CLOSE(re[s], sum.real(), double_tolerance(2 * n));
        CHECK_CLOSE(im[s], sum.imag(), double_tolerance(2 * n));
      }
    }
  for (const size_t coils : {1, 3, 4, 9}) {
    const size_t entries = 11;
    std::vector<size_t> offset(entries);
    for (size_t e = 0; e < entries; ++e) offset[e] = 5 * e % 13;
    const std::vector<float> re = values<float>(13 + k.lanes, 1), im = values<float>(13 + k.lanes, 2), weights = values<float>(entries * coils * 2, 3);
    std::vector<float> out(coils * 2 * k.lanes);
    k.combine_neighbours(entries, coils, offset.data(), re.data(), im.data(), weights.data(), out.data());
    std::vector<double> want(out.size());
    for (size_t c = 0; c < coils; ++c)
      for (size_t lane = 0; lane < k.lanes; ++lane) {
        Complex sum = 0;
        for (size_t e = 0; e < entries; ++e)
          sum += Complex{weights[2 * (e * coils + c)], weights[2 * (e * coils + c) + 1]} * Complex{re[offset[e] + lane], im[offset[e] + lane]};
        want[2 * c * k.lanes + lane] = sum.real();
        want[(2 * c + 1) * k.lanes + lane] = sum.imag();
      }
    CHECK(worst(out, want) < float_tolerance(2 * entries));
  }
}

/// The two kernels of SPIRiT share a private lane order, so they are tested as the pair they are: x becomes E^H E x.
void pixel_matrices() {
  for (const size_t pixels : {size_t{1}, k.lanes, 2 * k.lanes + 3}) {
    const size_t coils = 3, kernel = 5, padded = (pixels + k.lanes - 1) / k.lanes * k.lanes, stride = pixels + 2;
    const std::vector<c32> row = samples(coils * coils * kernel, 1), start = samples(coils * stride, 2);
    const std::vector<float> phases = values<float>(kernel * 2 * padded, 3);
    std::vector<float> matrices(padded * coils * coils), scratch(4 * coils * coils * k.lanes);
    k.consistency_matrices(pixels, coils, kernel, row.data(), phases.data(), matrices.data(), scratch.data());
    std::vector<c32> x = start;
    k.multiply_pixels(pixels, coils, stride, matrices.data(), x.data(), scratch.data());
    std::vector<double> got, want;
    for (size_t p = 0; p < pixels; ++p) {
      Complex excess[3][3], forward[3] = {};
      for (size_t i = 0; i < coils; ++i)
        for (size_t j = 0; j < coils; ++j) {
          excess[i][j] = i == j ? -1 : 0;
          for (size_t o = 0; o < kernel; ++o)
            excess[i][j] += wide(row[(i * coils + j) * kernel + o]) * Complex{phases[2 * o * padded + p], phases[(2 * o + 1) * padded + p]};
          forward[i] += excess[i][j] * wide(start[j * stride + p]);
        }
      for (size_t j = 0; j < coils; ++j) {
        Complex sum = 0;
        for (size_t i = 0; i < coils; ++i) sum += std::conj(excess[i][j]) * forward[i];
        want.insert(want.end(), {sum.real(), sum.imag()});
        got.insert(got.end(), {x[j * stride + p].re, x[j * stride + p].im});
      }
    }
    CHECK(worst(got, want) < float_tolerance(2 * coils * (coils + kernel)));
    bool untouched = true;
    for (size_t c = 0; c < coils; ++c)
      for (size_t p = pixels; p < stride; ++p) untouched = untouched && x[c * stride + p].re == start[c * stride + p].re;
    CHECK(untouched);
  }
}

}  // namespace

int main() {
  hermitian();
  eigenvectors();
  patches();
  pixel_matrices();
  return finish();
}
