// ESPIRiT's eigenproblems against eigenvectors in double precision, at pixels here and there.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "checks.h"
#include "core/espirit.h"
#include "core/hermitian_eigen.h"
#include "values.h"

namespace larmor::gpu_check {
namespace {

constexpr size_t kSide = 24, kKernel = 5, kPixels = 400;
constexpr uint32_t kIterations = 300;

/// How much of sample g of the grid a polynomial has at pixel i of n, in double.
double interpolated(size_t points, size_t g, size_t i, size_t n) {
  const double half = std::numbers::pi * ((static_cast<double>(i) - static_cast<double>(n / 2)) / static_cast<double>(n) - static_cast<double>(g) / static_cast<double>(points));
  return std::fabs(std::sin(half)) < 1e-12 ? 1 : std::sin(static_cast<double>(points) * half) / (static_cast<double>(points) * std::sin(half));
}

/// The Hermitian matrix of pixel (y, x), as EspiritGrid describes its entries.
std::vector<c64> matrix_at(const EspiritGrid& grid, const Extent& e, size_t y, size_t x) {
  const size_t entries = grid.coils * grid.coils;
  std::vector<double> packed(entries);
  for (size_t gy = 0; gy < grid.points; ++gy)
    for (size_t gx = 0; gx < grid.points; ++gx) {
      const double weight = interpolated(grid.points, gy, y, e.ny) * interpolated(grid.points, gx, x, e.nx);
      for (size_t k = 0; k < entries; ++k) packed[k] += weight * grid.matrices[(gy * entries + k) * grid.points + gx];
    }
  std::vector<c64> matrix(entries);
  for (size_t r = 0, at = 0; r < grid.coils; ++r) {
    for (size_t c = 0; c < r; ++c, at += 2) matrix[r * grid.coils + c] = {packed[at], packed[at + 1]};
    matrix[r * grid.coils + r] = {packed[at++], 0};
  }
  return matrix;
}

void check_maps(Checks& checks, const Extent& e, uint32_t sets) {
  const Device& device = checks.device;
  const Floats kspace = noise(2 * e.coils * kSide * kSide, 50);
  const EspiritGrid grid = espirit_grid(checks.cpu, {e.coils, kSide, kSide, complex(kspace.data())}, {.row = 0, .rows = kSide, .column = 0, .columns = kSide},
                                        {.kernel = kKernel, .threshold = 0.3, .sets = sets});
  Floats principal;
  for (const c64& entry : grid.principal) principal.insert(principal.end(), {static_cast<float>(entry.re), static_cast<float>(entry.im)});
  const Array matrices(device, grid.matrices), phases(device, principal), maps(device, 2 * sets * e.coils * e.points()), values(device, sets * e.points());
  const LarmorCudaEspirit problem{.coils = e.coils, .sets = sets, .points = static_cast<uint32_t>(grid.points), .iterations = kIterations, .ny = e.ny, .nx = e.nx,
                                  .tolerance = 0, .device_matrices = matrices, .device_principal = phases};
  Floats want_maps, want_values;
  std::vector<size_t> at_maps, at_values;
  const size_t step = std::max<size_t>(1, e.points() / kPixels);
  for (size_t pixel = 0; pixel < e.points(); pixel += step) {
    const HermitianEigen eigen(Serial{}, e.coils, matrix_at(grid, e, pixel / e.nx, pixel % e.nx).data());
    // Left out: eigenvalues so near each other that no iteration separates their vectors.
    bool separate = true;
    for (size_t s = 0; s < sets && s + 1 < e.coils; ++s) separate = separate && std::pow(eigen.values()[s + 1] / eigen.values()[s], kIterations) < 1e-7;
    if (!separate) continue;
    std::vector<c64> vectors(sets * e.coils);
    eigen.vectors(Serial{}, sets, vectors.data());
    for (size_t s = 0; s < sets; ++s) {
      Floats vector;
      std::vector<c32> map(e.coils);
      for (size_t c = 0; c < e.coils; ++c) vector.insert(vector.end(), {static_cast<float>(vectors[s * e.coils + c].re), static_cast<float>(vectors[s * e.coils + c].im)});
      write_map(grid.principal, 1, vector.data(), 1, map.data());
      for (size_t c = 0; c < e.coils; ++c) {
        const size_t place = 2 * ((s * e.coils + c) * e.points() + pixel);
        want_maps.insert(want_maps.end(), {map[c].re, map[c].im});
        at_maps.insert(at_maps.end(), {place, place + 1});
      }
      want_values.push_back(static_cast<float>(eigen.values()[s]));
      at_values.push_back(s * e.points() + pixel);
    }
  }
  const std::string what = std::to_string(sets) + "x" + std::to_string(e.coils) + "x" + std::to_string(e.ny) + "x" + std::to_string(e.nx);
  if (at_maps.empty()) return checks.fail("espirit_maps", what + ": no pixel to compare");
  checks.compare("espirit_maps", what + ", " + std::to_string(at_values.size() / sets) + " pixels", {{maps, want_maps, at_maps}, {values, want_values, at_values}},
                 [&] { device.call("espirit_maps", device->espirit_maps, &problem, maps, values); });
}

}  // namespace

void check_espirit(Checks& checks) {
  for (const Extent& e : checks.sizes.extents)
    try {
      check_maps(checks, e, std::min(e.sets, e.coils));
    } catch (const std::exception& reason) {
      checks.fail("espirit_maps", e.words() + ": " + reason.what());
    }
}

}  // namespace larmor::gpu_check
