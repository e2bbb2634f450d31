// The encoding operator, its derivative by the maps and the data losses against their formulas in double precision, at sizes that fill no lane buffer evenly.
#include "core/encoding.h"

#include <cstring>
#include <vector>

#include "check.h"
#include "core/coded_error.h"
#include "core/data_loss.h"
#include "core/maps_gradient.h"
#include "encoding_truth.h"

namespace {

using namespace larmor;
using namespace larmor::test;

constexpr double kTolerance = 1e-6;

void check_operator(const Case& c) {
  const std::vector<c32> x = noise(c.sizes.sets * c.points(), 4), y = noise(c.sizes.coils * c.points(), 5);
  const Encoding encoding = c.encoding();
  const auto image = [](std::vector<c32>& v) { return Image{&v[0].re, false}; };
  const ConstImage from{&x[0].re, false};
  std::vector<c32> forward(y.size()), adjoint(x.size()), normal(x.size());
  encoding.forward(Serial{}, from, forward.data());
  encoding.adjoint(Serial{}, y.data(), image(adjoint));
  encoding.normal(Serial{}, from, image(normal));
  const std::vector<Complex> predicted = encode(c, x);
  CHECK_CLOSE(relative_error(forward, predicted), 0, kTolerance);
  CHECK_CLOSE(relative_error(adjoint, encode_adjoint(c, widen(y))), 0, kTolerance);
  CHECK_CLOSE(relative_error(normal, encode_adjoint(c, predicted)), 0, kTolerance);

  const std::vector<float> planar = planes(x, c.points());
  std::vector<float> planar_normal(planar.size()), planar_adjoint(planar.size());
  std::vector<c32> from_planes(y.size());
  encoding.forward(Pooled{3}, {planar.data(), true}, from_planes.data());
  encoding.adjoint(Pooled{3}, y.data(), {planar_adjoint.data(), true});
  encoding.normal(Pooled{3}, {planar.data(), true}, {planar_normal.data(), true});
  CHECK(std::memcmp(from_planes.data(), forward.data(), forward.size() * sizeof(c32)) == 0);
  CHECK(planar_adjoint == planes(adjoint, c.points()));
  CHECK(planar_normal == planes(normal, c.points()));
}

void check_maps_gradient(const Case& c) {
  const size_t n = c.points(), samples = c.sizes.coils * n;
  const std::vector<c32> x = noise(n, 4), y = noise(samples, 5);
  std::vector<Complex> want = widen(y);
  const std::vector<Complex> image = widen(x);
  for (size_t i = 0; i < samples; ++i) want[i] *= c.weight(i % n);
  direct_dft2(true, c.sizes.ny, c.sizes.nx, want);
  for (size_t i = 0; i < samples; ++i) want[i] *= std::conj(image[i % n]);
  const std::vector<float> planar = planes(x, n);
  std::vector<c32> got(samples), pooled(samples);
  const MapsGradientSizes sizes{c.sizes.coils, c.sizes.ny, c.sizes.nx};
  maps_gradient(Serial{}, sizes, planar.data(), y.data(), {c.mask.data(), c.lines}, got.data());
  maps_gradient(Pooled{3}, sizes, planar.data(), y.data(), {c.mask.data(), c.lines}, pooled.data());
  CHECK_CLOSE(relative_error(got, want), 0, kTolerance);
  CHECK(std::memcmp(pooled.data(), got.data(), samples * sizeof(c32)) == 0);
}

void check_loss(const Case& c, LossNorm norm) {
  const size_t n = c.points();
  Case held = c;
  std::vector<float> mask = c.mask;
  for (size_t i = 0; i < mask.size(); ++i) {
    held.mask[i] = mask[i] * static_cast<float>(i % 3 == 1);
    mask[i] -= held.mask[i];
  }
  Case trained = c;
  trained.mask = mask;
  const std::vector<c32> x = noise(n, 6), y = noise(c.sizes.coils * n, 7);
  const auto measure = [&](const Case& which, std::vector<Complex>& slope) {
    std::vector<Complex> residual = encode(which, x);
    double numerator = 0, denominator = 0;
    for (size_t i = 0; i < residual.size(); ++i) {
      const Complex sample = static_cast<double>(which.weight(i % n)) * Complex(y[i].re, y[i].im);
      residual[i] -= sample;
      const auto magnitude = [&](const Complex& v) {
        return norm == LossNorm::kL1 ? std::fabs(v.real()) + std::fabs(v.imag()) : std::norm(v);
      };
      numerator += magnitude(residual[i]);
      denominator += magnitude(sample);
    }
    const auto sign = [](double v) { return static_cast<double>((v > 0) - (v < 0)); };
    slope = residual;
    for (Complex& v : slope)
      v = norm == LossNorm::kL1 ? Complex(sign(v.real()), sign(v.imag())) / denominator : v / std::sqrt(numerator * denominator);
    if (denominator == 0) return 0.0;  // nothing held out
    return norm == LossNorm::kL1 ? numerator / denominator : std::sqrt(numerator / denominator);
  };
  std::vector<Complex> slope, unused;
  const double loss = measure(trained, slope), held_out_loss = measure(held, unused);

  const std::vector<float> image = planes(x, n);
  std::vector<float> gradient(image.size()), again(image.size());
  const Measurements measured{1, c.sizes.coils, c.sizes.ny, c.sizes.nx, c.maps.data(), y.data(), mask.data(), held.mask.data(), c.lines};
  const DataLossValue value = data_loss(Serial{}, norm, measured, image.data(), gradient.data());
  CHECK_CLOSE(value.loss, loss, kTolerance * loss);
  CHECK_CLOSE(value.held_out_loss, held_out_loss, kTolerance * held_out_loss);
  std::vector<c32> interleaved(n);
  for (size_t i = 0; i < n; ++i) interleaved[i] = {gradient[i], gradient[n + i]};
  CHECK_CLOSE(relative_error(interleaved, encode_adjoint(trained, slope)), 0, kTolerance);
  const DataLossValue same = data_loss(Pooled{3}, norm, measured, image.data(), again.data());
  CHECK(same.loss == value.loss && same.held_out_loss == value.held_out_loss && again == gradient);
}

}  // namespace

int main() {
  for (const bool lines : {true, false}) {
    for (const EncodingSizes sizes : {EncodingSizes{1, 1, 1, 5}, EncodingSizes{1, 3, 5, 3}, EncodingSizes{2, 4, 19, 33}, EncodingSizes{1, 9, 34, 107}})
      check_operator(make_case(sizes, lines));
    for (const EncodingSizes sizes : {EncodingSizes{1, 1, 1, 5}, EncodingSizes{1, 3, 19, 33}, EncodingSizes{1, 9, 34, 17}})
      check_maps_gradient(make_case(sizes, lines));
    for (const LossNorm norm : {LossNorm::kL1, LossNorm::kL2})
      for (const EncodingSizes sizes : {EncodingSizes{1, 2, 7, 11}, EncodingSizes{1, 5, 18, 37}}) check_loss(make_case(sizes, lines), norm);
  }

  Case empty = make_case({1, 2, 6, 7}, true);
  empty.mask.assign(7, 0);
  std::vector<c32> x = noise(42), y(84, {1, 1});
  empty.encoding().forward(Serial{}, {&x[0].re, false}, y.data());
  for (const c32& value : y) CHECK(value.re == 0 && value.im == 0);
  bool refused = false;
  try {
    const Measurements nothing{1, 2, 6, 7, empty.maps.data(), y.data(), empty.mask.data(), empty.mask.data(), true};
    data_loss(Serial{}, LossNorm::kL1, nothing, &x[0].re, &x[0].re);
  } catch (const CodedError& error) {
    refused = error.code() == "ERR_ARGUMENT";
  }
  CHECK(refused);
  return finish();
}
