// Kernels of vectors against plain loops in double: updates, inner products, mixtures of coils.
#include <complex>

#include "core/kernels.h"
#include "kernel_truth.h"

namespace {

using namespace larmor;
using namespace larmor::test;
using Complex = std::complex<double>;

const Kernels& k = kernels();

Complex wide(const c32& x) { return {x.re, x.im}; }

void ceilings() {
  CHECK(k.multiply_add_operations >= 8 * k.lanes);
  // 1 is a fixed point of x -> x f + (1 - f): after many rounds every chain is there, and half of their mean is the result.
  CHECK_CLOSE(k.multiply_adds(1000, 0.5f), 0.5, float_tolerance(1));
}

void vector_updates() {
  for (const size_t n : kLengths) {
    const std::vector<float> p = values<float>(n, 1), q = values<float>(n, 2), x = values<float>(n, 3), r = values<float>(n, 4);
    std::vector<double> want_q(n), want_x(n), want_r(n), want_p(n);
    double dot = 0, energy = 0;
    for (size_t i = 0; i < n; ++i) {
      want_q[i] = q[i] + 0.3f * static_cast<double>(p[i]);
      want_x[i] = x[i] + 0.7f * static_cast<double>(p[i]);
      want_r[i] = r[i] - 0.7f * static_cast<double>(q[i]);
      want_p[i] = r[i] + 0.6f * static_cast<double>(p[i]);
      dot += p[i] * want_q[i];
      energy += want_r[i] * want_r[i];
    }
    std::vector<float> got_q = q, got_x = x, got_r = r, got_p = p;
    CHECK_CLOSE(k.add_scaled_dot(n, 0.3f, p.data(), got_q.data()), dot, float_tolerance(2) * static_cast<double>(n));
    CHECK(worst(got_q, want_q) < float_tolerance(2));
    CHECK_CLOSE(k.gradient_step(n, 0.7f, p.data(), q.data(), got_x.data(), got_r.data()), energy, float_tolerance(2) * static_cast<double>(n));
    CHECK(worst(got_x, want_x) < float_tolerance(2) && worst(got_r, want_r) < float_tolerance(2));
    k.next_direction(n, 0.6f, r.data(), got_p.data());
    CHECK(worst(got_p, want_p) < float_tolerance(2));
  }
}

void double_vectors() {
  for (const size_t n : kLengths) {
    const std::vector<double> xr = values<double>(n, 1), xi = values<double>(n, 2), yr = values<double>(n, 3), yi = values<double>(n, 4);
    const Complex a{0.3, -0.7};
    std::vector<double> re = yr, im = yi, want_re(n), want_im(n);
    std::vector<c64> left(n), right(n);
    Complex dot = 0;
    for (size_t i = 0; i < n; ++i) {
      const Complex x{xr[i], xi[i]}, y{yr[i], yi[i]}, sum = y + a * x;
      want_re[i] = sum.real();
      want_im[i] = sum.imag();
      left[i] = {xr[i], xi[i]};
      right[i] = {yr[i], yi[i]};
      dot += x * std::conj(y);
    }
    k.complex_axpy(n, a.real(), a.imag(), xr.data(), xi.data(), re.data(), im.data());
    CHECK(worst(re, want_re) < double_tolerance(3) && worst(im, want_im) < double_tolerance(3));
    const c64 got = k.complex_dot(n, left.data(), right.data());
    CHECK_CLOSE(got.re, dot.real(), double_tolerance(2 * n));
    CHECK_CLOSE(got.im, dot.imag(), double_tolerance(2 * n));
    k.subtract_multiple(n, {-a.real(), -a.imag()}, left.data(), right.data());
    for (size_t i = 0; i < n; ++i) {
      CHECK_CLOSE(right[i].re, want_re[i], double_tolerance(3));
      CHECK_CLOSE(right[i].im, want_im[i], double_tolerance(3));
    }
  }
}

void mixing() {
  for (const size_t n : kLengths)
    for (const size_t coils : {1, 5})
      for (const size_t mixed : {1, 2, 4, 7}) {
        const size_t in_stride = n + 2, out_stride = n + 5;
        const std::vector<c32> matrix = samples(mixed * coils, 1), in = samples(coils * in_stride, 2);
        std::vector<c32> out(mixed * out_stride, c32{9, 9});
        k.mix_coils(n, coils, mixed, matrix.data(), in.data(), in_stride, out.data(), out_stride);
        std::vector<double> got, want;
        bool untouched = true;
        for (size_t r = 0; r < mixed; ++r)
          for (size_t i = 0; i < out_stride; ++i) {
            const c32 value = out[r * out_stride + i];
            if (i >= n) {
              untouched = untouched && value.re == 9 && value.im == 9;
              continue;
            }
            Complex sum = 0;
            for (size_t c = 0; c < coils; ++c) sum += wide(matrix[r * coils + c]) * wide(in[c * in_stride + i]);
            want.insert(want.end(), {sum.real(), sum.imag()});
            got.insert(got.end(), {value.re, value.im});
          }
        CHECK(worst(got, want) < float_tolerance(2 * coils));
        CHECK(untouched);
      }
}

}  // namespace

int main() {
  ceilings();
  vector_updates();
  double_vectors();
  mixing();
  return finish();
}
