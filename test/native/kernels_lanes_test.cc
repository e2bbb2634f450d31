// Kernels on lane buffers against plain loops in double: loads, stores, transforms and what stands between them.
#include <complex>
#include <numeric>

#include "core/fft_plan.h"
#include "core/kernels.h"
#include "core/lanes.h"
#include "core/scratch.h"
#include "kernel_truth.h"

namespace {

using namespace larmor;
using namespace larmor::test;

const Kernels& k = kernels();

/// A permutation of n slots.
std::vector<uint32_t> permutation(size_t n) {
  std::vector<uint32_t> slot(n);
  for (size_t j = 0; j < n; ++j) slot[j] = static_cast<uint32_t>((j * 7 + 3) % n);
  if (n % 7 == 0) std::iota(slot.begin(), slot.end(), 0u);
  return slot;
}

struct Buffer : Scratch {
  explicit Buffer(size_t slots) : Scratch(slots * slot_floats()) { std::fill_n(data(), slots * slot_floats(), 0.0f); }
  float& re(size_t slot, size_t lane) { return data()[slot * slot_floats() + lane]; }
  float& im(size_t slot, size_t lane) { return data()[slot * slot_floats() + k.lanes + lane]; }
};

/// Rows and columns of every count go in, unchanged or swapped, and come out scaled.
void loads_and_stores() {
  for (const size_t n : kLengths)
    for (const size_t count : {size_t{1}, k.lanes / 2 + 1, k.lanes})
      for (const bool swap : {false, true}) {
        const std::vector<uint32_t> slot = permutation(n);
        const std::vector<c32> rows = samples(count * (n + 2), n), columns = samples(n * (count + 3), n);
        Buffer lanes(n);
        k.load_rows(count, n, rows.data(), n + 2, slot.data(), swap, lanes.data());
        bool same = true;
        for (size_t r = 0; r < count; ++r)
          for (size_t j = 0; j < n; ++j) {
            const c32 want = rows[r * (n + 2) + j];
            same = same && lanes.re(slot[j], r) == (swap ? want.im : want.re) && lanes.im(slot[j], r) == (swap ? want.re : want.im);
          }
        CHECK(same);
        std::vector<c32> out(count * (n + 2), c32{9, 9});
        k.store_rows(count, n, lanes.data(), slot.data(), swap, 2, out.data(), n + 2);
        for (size_t r = 0; r < count; ++r)
          for (size_t j = 0; j < n + 2; ++j) {
            const c32 in = rows[r * (n + 2) + j], got = out[r * (n + 2) + j];
            same = same && (j < n ? got.re == 2 * in.re && got.im == 2 * in.im : got.re == 9);
          }
        CHECK(same);

        k.load_columns(count, n, columns.data(), count + 3, slot.data(), swap, lanes.data());
        std::vector<c32> back(n * (count + 3), c32{9, 9});
        k.store_columns(count, n, lanes.data(), slot.data(), !swap, 2, back.data(), count + 3);
        for (size_t j = 0; j < n; ++j)
          for (size_t c = 0; c < count + 3; ++c) {
            const c32 in = columns[j * (count + 3) + c], got = back[j * (count + 3) + c];
            same = same && (c < count ? got.re == 2 * in.im && got.im == 2 * in.re : got.re == 9);
          }
        CHECK(same);

        const std::vector<float> re = values<float>(count * (n + 2), 1), im = values<float>(count * (n + 2), 2);
        k.load_planes(count, n, re.data(), im.data(), n + 2, slot.data(), lanes.data());
        for (size_t r = 0; r < count; ++r)
          for (size_t j = 0; j < n; ++j) same = same && lanes.re(slot[j], r) == re[r * (n + 2) + j] && lanes.im(slot[j], r) == im[r * (n + 2) + j];
        std::vector<float> re_out(re.size(), 9), im_out(re.size(), 9);
        k.store_planes(count, n, lanes.data(), slot.data(), re_out.data(), im_out.data(), n + 2);
        for (size_t i = 0; i < re.size(); ++i) same = same && (i % (n + 2) < n ? re_out[i] == re[i] && im_out[i] == im[i] : re_out[i] == 9);
        CHECK(same);
      }
}

/// Every radix, a dense prime and Bluestein; each lane is a transform of its own.
void transforms() {
  for (const size_t n : {1, 2, 3, 5, 7, 8, 11, 13, 16, 23, 31, 48, 60, 97, 101, 126, 143}) {
    const FftPlan plan(n);
    for (const bool time : {true, false}) {
      Buffer lanes(plan.slots());
      const std::vector<c32> x = samples(n * k.lanes, n);
      const uint32_t *const from = time ? plan.time_slot() : plan.frequency_slot(), *const to = time ? plan.frequency_slot() : plan.time_slot();
      for (size_t j = 0; j < n; ++j)
        for (size_t lane = 0; lane < k.lanes; ++lane) {
          lanes.re(from[j], lane) = x[lane * n + j].re;
          lanes.im(from[j], lane) = x[lane * n + j].im;
        }
      (time ? k.fft_time : k.fft_frequency)(plan.steps(), lanes.data());
      std::vector<double> got, want;
      for (size_t lane = 0; lane < k.lanes; ++lane)
        for (size_t f = 0; f < n; ++f) {
          std::complex<double> sum = 0;
          for (size_t j = 0; j < n; ++j) {
            const double turn = (static_cast<double>(j) - static_cast<double>(n / 2)) * (static_cast<double>(f) - static_cast<double>(n / 2));
            sum += std::complex<double>(x[lane * n + j].re, x[lane * n + j].im) * std::polar(1.0, -2 * M_PI * std::fmod(turn, static_cast<double>(n)) / static_cast<double>(n));
          }
          want.insert(want.end(), {sum.real(), sum.imag()});
          got.insert(got.end(), {lanes.re(to[f], lane), lanes.im(to[f], lane)});
        }
      CHECK(worst(got, want) < float_tolerance(n));
    }
  }
  CHECK(k.fft_time != nullptr && k.fft_frequency != nullptr);
}

void products() {
  for (const size_t n : kLengths) {
    const size_t floats = n * slot_floats();
    Buffer a(n), b(n), product(n), sum(n);
    const std::vector<float> va = values<float>(floats, 1), vb = values<float>(floats, 2), start = values<float>(floats, 3);
    for (const bool accumulate : {false, true}) {
      std::copy(va.begin(), va.end(), a.data());
      std::copy(vb.begin(), vb.end(), b.data());
      std::copy(start.begin(), start.end(), product.data());
      std::copy(start.begin(), start.end(), sum.data());
      k.multiply_lanes(n, accumulate, a.data(), b.data(), product.data());
      k.add_conjugate_product(n, a.data(), b.data(), sum.data());
      std::vector<double> want_product(floats), want_sum(floats);
      for (size_t j = 0; j < n; ++j)
        for (size_t lane = 0; lane < k.lanes; ++lane) {
          const size_t re = j * slot_floats() + lane, im = re + k.lanes;
          const double ar = va[re], ai = va[im], br = vb[re], bi = vb[im];
          want_product[re] = ar * br - ai * bi + (accumulate ? start[re] : 0);
          want_product[im] = ai * br + ar * bi + (accumulate ? start[im] : 0);
          want_sum[re] = start[re] + ar * bi + ai * br;  // conj(a) (bi + i br)
          want_sum[im] = start[im] + ar * br - ai * bi;
        }
      CHECK(worst(floats, product.data(), want_product.data()) < float_tolerance(3));
      CHECK(worst(floats, sum.data(), want_sum.data()) < float_tolerance(3));
    }
  }
}

void weights() {
  for (const size_t n : kLengths) {
    const std::vector<uint32_t> slot = permutation(n);
    const std::vector<c32> rows = samples(k.lanes * n, 4);
    const std::vector<float> weight = values<float>(n * (k.lanes + 5), 5);
    Buffer lanes(n);
    k.load_rows(k.lanes, n, rows.data(), n, slot.data(), false, lanes.data());
    k.weigh_rows(n, weight.data(), slot.data(), lanes.data());
    bool same = true;
    for (size_t r = 0; r < k.lanes; ++r)
      for (size_t j = 0; j < n; ++j)
        same = same && lanes.re(slot[j], r) == rows[r * n + j].im * weight[j] && lanes.im(slot[j], r) == rows[r * n + j].re * weight[j];
    CHECK(same);

    const std::vector<c32> columns = samples(n * k.lanes, 6);
    k.load_columns(k.lanes, n, columns.data(), k.lanes, slot.data(), false, lanes.data());
    k.weigh_columns(n, weight.data(), k.lanes + 5, slot.data(), lanes.data());
    std::vector<c32> out(n * k.lanes);
    k.store_columns(k.lanes, n, lanes.data(), slot.data(), true, 1, out.data(), k.lanes);
    for (size_t j = 0; j < n; ++j)
      for (size_t c = 0; c < k.lanes; ++c) {
        const float w = weight[j * (k.lanes + 5) + c];
        same = same && out[j * k.lanes + c].re == columns[j * k.lanes + c].re * w && out[j * k.lanes + c].im == columns[j * k.lanes + c].im * w;
      }
    CHECK(same);
  }
}

double part_sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

void residuals() {
  for (const size_t n : kLengths)
    for (const bool absolute : {false, true})
      for (const bool held : {false, true}) {
        const size_t stride = 2 * k.lanes + 1, weight_stride = k.lanes + 2;
        const std::vector<uint32_t> slot = permutation(n);
        std::vector<uint32_t> column(k.lanes);
        for (size_t c = 0; c < k.lanes; ++c) column[c] = static_cast<uint32_t>(2 * c + 1);
        const std::vector<c32> x = samples(n * k.lanes, 7), measured = samples(n * stride, 8);
        std::vector<float> weight = values<float>(n * weight_stride, 9), held_out = values<float>(n * weight_stride, 10);
        for (float& w : weight) w = std::fabs(w);
        Buffer lanes(n);
        k.load_columns(k.lanes, n, x.data(), k.lanes, slot.data(), false, lanes.data());
        const float scale = 0.75f;
        const ResidualColumns columns{.column = column.data(), .measured = measured.data(), .stride = stride, .weight = weight.data(),
                                      .held_out = held ? held_out.data() : nullptr, .weight_stride = weight_stride, .scale = scale};
        ResidualSums sums;
        k.column_residual(absolute, n, columns, slot.data(), lanes.data(), &sums);
        std::vector<c32> out(n * k.lanes);
        k.store_columns(k.lanes, n, lanes.data(), slot.data(), true, 1, out.data(), k.lanes);

        double want_sums[4] = {};
        std::vector<double> want(2 * n * k.lanes);
        const auto size = [&](double re, double im) { return absolute ? std::fabs(re) + std::fabs(im) : re * re + im * im; };
        for (size_t j = 0; j < n; ++j)
          for (size_t c = 0; c < k.lanes; ++c) {
            const size_t i = j * k.lanes + c;
            const c32 y = measured[j * stride + column[c]];
            const double re = scale * x[i].re - y.re, im = scale * x[i].im - y.im;
            const double w = weight[j * weight_stride + c], h = held_out[j * weight_stride + c];
            want_sums[0] += size(w * re, w * im);
            want_sums[1] += size(w * y.re, w * y.im);
            want_sums[2] += size(h * re, h * im);
            want_sums[3] += size(h * y.re, h * y.im);
            want[2 * i] = scale * w * (absolute ? part_sign(re) : w * re);
            want[2 * i + 1] = scale * w * (absolute ? part_sign(im) : w * im);
          }
        CHECK(worst(out, want) < float_tolerance(4));
        CHECK_CLOSE(sums.residual, want_sums[0], float_tolerance(4) * want_sums[0]);
        CHECK_CLOSE(sums.reference, want_sums[1], float_tolerance(4) * want_sums[1]);
        CHECK_CLOSE(sums.held_out_residual, held ? want_sums[2] : 0, float_tolerance(4) * want_sums[2]);
        CHECK_CLOSE(sums.held_out_reference, held ? want_sums[3] : 0, float_tolerance(4) * want_sums[3]);
      }
}

}  // namespace

int main() {
  loads_and_stores();
  transforms();
  products();
  weights();
  residuals();
  return finish();
}
