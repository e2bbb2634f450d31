// ESPIRiT's eigenproblems on the device against eigenvectors in double of every pixel's matrix, evaluated directly.
#include <complex>
#include <numbers>

#include "core/espirit.h"
#include "core/hermitian_eigen.h"
#include "network_on_device.h"

namespace {

using namespace larmor;
using namespace larmor::test;

struct Case {
  uint32_t coils, kernel, sets, ny, nx;
  size_t plane() const { return size_t{ny} * nx; }
};

/// Kernels [direction, coil, kernel, kernel], each with half the magnitude of the one before, so that the eigenvalues of W W^H lie apart.
struct Kernels {
  Case c;
  size_t count;
  std::vector<c32> taps;
  std::vector<c64> principal;

  explicit Kernels(const Case& of) : c(of), count(of.sets + 1), taps(samples(count * c.coils * c.kernel * c.kernel, c.coils)) {
    for (const c32& value : samples(c.coils, 77)) principal.push_back({value.re, value.im});
  }

  /// The matrix [coils, coils] where the phase grows by `y` and `x` per tap.
  std::vector<c64> matrix(double y, double x) const {
    std::vector<c64> result(size_t{c.coils} * c.coils);
    for (size_t k = 0; k < count; ++k) {
      std::vector<std::complex<double>> w(c.coils);
      for (size_t i = 0; i < c.coils * c.kernel * c.kernel; ++i) {
        const c32 tap = taps[k * c.coils * c.kernel * c.kernel + i];
        const double angle = y * static_cast<double>(i / c.kernel % c.kernel) + x * static_cast<double>(i % c.kernel);
        w[i / (c.kernel * c.kernel)] += std::ldexp(1.0, -static_cast<int>(k)) * std::complex<double>(tap.re, tap.im) * std::polar(1.0, angle);
      }
      for (size_t i = 0; i < c.coils; ++i)
        for (size_t j = 0; j < c.coils; ++j) {
          const std::complex<double> entry = w[i] * std::conj(w[j]);
          result[i * c.coils + j].re += entry.real();
          result[i * c.coils + j].im += entry.imag();
        }
    }
    return result;
  }

  EspiritGrid grid() const {
    const size_t points = 2 * c.kernel - 1;
    EspiritGrid result{c.coils, points, Floats(points * c.coils * c.coils * points), principal};
    for (size_t g = 0; g < points * points; ++g) {
      const double turn = 2 * std::numbers::pi / static_cast<double>(points);
      const std::vector<c64> at = matrix(turn * static_cast<double>(g / points), turn * static_cast<double>(g % points));
      float* entry = &result.matrices[g / points * c.coils * c.coils * points + g % points];
      for (size_t i = 0; i < c.coils; ++i)
        for (size_t j = 0; j <= i; ++j) {
          *entry = static_cast<float>(at[i * c.coils + j].re);
          entry += points;
          if (j == i) continue;
          *entry = static_cast<float>(at[i * c.coils + j].im);
          entry += points;
        }
    }
    return result;
  }

  std::vector<c64> pixel(size_t p) const {
    const auto phase = [](size_t at, size_t n) {
      return 2 * std::numbers::pi * (static_cast<double>(at) - static_cast<double>(n / 2)) / static_cast<double>(n);
    };
    return matrix(phase(p / c.nx, c.ny), phase(p % c.nx, c.nx));
  }
};

struct Maps {
  Floats maps, values;
  bool operator==(const Maps&) const = default;
};

Maps on_device(const OnDevice& device, const Case& c, const EspiritGrid& grid, uint32_t iterations, float tolerance) {
  Floats principal;
  for (const c64& entry : grid.principal) principal.insert(principal.end(), {static_cast<float>(entry.re), static_cast<float>(entry.im)});
  const DeviceArray<float> matrices(device, grid.matrices), phase(device, principal);
  const DeviceArray<float> maps(device, 2 * c.sets * c.coils * c.plane()), eigenvalues(device, c.sets * c.plane());
  const LarmorCudaEspirit espirit{.coils = c.coils, .sets = c.sets, .points = static_cast<uint32_t>(grid.points),
                                  .iterations = iterations, .ny = c.ny, .nx = c.nx, .tolerance = tolerance, .device_matrices = matrices,
                                  .device_principal = phase};
  SUCCEED(cuda().espirit_maps(device, &espirit, maps, eigenvalues));
  return {maps.get(), eigenvalues.get()};
}

void against_eigenvectors(const OnDevice& device, const Case& c) {
  constexpr uint32_t kIterations = 40;
  const Kernels kernels(c);
  const Maps got = on_device(device, c, kernels.grid(), kIterations, 0);
  Floats got_maps, want_maps, got_values, want_values;
  size_t pixels = 0;
  for (size_t p = 0; p < c.plane(); ++p) {
    const HermitianEigen eigen(Serial{}, c.coils, kernels.pixel(p).data());
    const auto left = [&](size_t s) { return s < c.coils ? std::pow(std::fabs(eigen.values()[s] / eigen.values()[s - 1]), kIterations) : 0; };
    if (left(1) > 1e-7 || (c.sets > 1 && left(2) > 1e-7)) continue;  // not separated by so many steps
    ++pixels;
    std::vector<c64> vectors(c.sets * c.coils);
    eigen.vectors(Serial{}, c.sets, vectors.data());
    for (size_t s = 0; s < c.sets; ++s) {
      Floats vector;
      for (size_t i = 0; i < c.coils; ++i) {
        const c64 entry = vectors[s * c.coils + i];
        vector.insert(vector.end(), {static_cast<float>(entry.re), static_cast<float>(entry.im)});
      }
      std::vector<c32> map(c.coils);
      write_map(kernels.principal, 1, vector.data(), 1, map.data());
      for (size_t i = 0; i < c.coils; ++i) {
        const float* const entry = got.maps.data() + 2 * ((s * c.coils + i) * c.plane() + p);
        got_maps.insert(got_maps.end(), {entry[0], entry[1]});
        want_maps.insert(want_maps.end(), {map[i].re, map[i].im});
      }
      got_values.push_back(got.values[s * c.plane() + p]);
      want_values.push_back(static_cast<float>(eigen.values()[s]));
    }
  }
  CHECK(10 * pixels >= 8 * c.plane());
  CHECK_CLOSE(relative_error(got_maps, want_maps), 0, kTolerance);
  CHECK_CLOSE(relative_error(got_values, want_values), 0, 1e-6);
}

/// From calibration data to values, as the processor has them: both end at the same residual, at steps of their own.
void against_the_processor(const OnDevice& device) {
  const Case c{9, 3, 1, 4, 17};
  const std::vector<c32> kspace = samples(c.coils * 12 * 12, 1);
  const Kspace calibration{c.coils, 12, 12, kspace.data()};
  const CalibrationRegion region{.row = 1, .rows = 10, .column = 1, .columns = 10};
  const EspiritOptions options{.kernel = c.kernel, .threshold = 0.3, .sets = 1, .iterations = 30};
  std::vector<c32> maps(c.coils * c.plane());
  Floats want(c.plane());
  espirit(Serial{}, calibration, region, options, {c.ny, c.nx}, maps.data(), want.data(), [](size_t) {});
  const Maps got = on_device(device, c, espirit_grid(Serial{}, calibration, region, options), 30, kEspiritTolerance);
  CHECK_CLOSE(relative_error(got.values, want), 0, 1e-4);
}

/// A tolerance that every step meets ends the iteration after the first; threads in another order change nothing.
void stops(const OnDevice& device) {
  const Case c{5, 3, 2, 3, 11};
  const EspiritGrid grid = Kernels(c).grid();
  CHECK(on_device(device, c, grid, 30, 1e9f) == on_device(device, c, grid, 1, 0));
  CHECK(!(on_device(device, c, grid, 2, 0) == on_device(device, c, grid, 1, 0)));
  in_both_orders([&] {
    const Maps maps = on_device(device, c, grid, 5, kEspiritTolerance);
    return joined({maps.maps, maps.values});
  });
}

void refusals(const OnDevice& device) {
  const DeviceArray<float> a(device, 8);
  const LarmorCudaEspirit right{.coils = 2, .sets = 1, .points = 1, .iterations = 1, .ny = 1, .nx = 1, .tolerance = 0, .device_matrices = a,
                                .device_principal = a};
  const auto refused = [&](auto&& change, const char* words) {
    LarmorCudaEspirit wrong = right;
    change(wrong);
    FAIL_WITH(cuda().espirit_maps(device, &wrong, a, a), LARMOR_CUDA_ARGUMENT, words);
  };
  refused([](LarmorCudaEspirit& e) { e.sets = 3; }, "espirit_maps: sets must be at most the number of coils, 2, got 3");
  refused([](LarmorCudaEspirit& e) { e.coils = 109; }, "coils must be at most 108, got 109");
  refused([](LarmorCudaEspirit& e) { e.coils = e.sets = 100; }, "sets must be fewer, got 100");
  refused([](LarmorCudaEspirit& e) { e.points = 4; }, "points must be odd and at most 1023, got 4");
  refused([](LarmorCudaEspirit& e) { e.iterations = 0; }, "iterations must be at least 1");
  refused([](LarmorCudaEspirit& e) { e.tolerance = -1; }, "tolerance must be at least 0");
  refused([](LarmorCudaEspirit& e) { e.device_matrices = nullptr; }, "device_matrices must not be null");
  refused([&](LarmorCudaEspirit& e) { e.device_principal = a + 1; }, "device_principal and device_maps must start at multiples of 8 bytes");
  FAIL_WITH(cuda().espirit_maps(device, nullptr, a, a), LARMOR_CUDA_ARGUMENT, "espirit must not be null");
}

}  // namespace

int main() {
  const OnDevice device;
  // 8, 16 and 32 lanes per pixel, more coils than lanes, and more rows than are interpolated at a time.
  for (const Case& c : {Case{1, 2, 1, 3, 5}, Case{3, 3, 2, 7, 9}, Case{9, 3, 1, 2, 17}, Case{20, 2, 2, 1, 9}, Case{40, 2, 1, 111, 1}})
    against_eigenvectors(device, c);
  against_the_processor(device);
  stops(device);
  refusals(device);
  return finish();
}
