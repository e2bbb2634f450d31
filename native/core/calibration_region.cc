// Grows the block by one row and one column in turn, as the authors' program does, so that both calibrate on the same samples.
#include "core/calibration_region.h"

#include <algorithm>
#include <vector>

namespace larmor {
namespace {

/// The first of `length` positions centred in the middle `limit` of n.
size_t centred(size_t n, size_t limit, size_t length) { return (n - limit) / 2 + (limit - length) / 2; }

class Search {
 public:
  Search(size_t coils, size_t ny, size_t nx, const c32* kspace, const Sampling& sampling)
      : coils_(coils), ny_(ny), nx_(nx), kspace_(kspace), sampling_(sampling) {}

  CalibrationRegion grow(size_t max_rows, size_t max_columns) const {
    const size_t limit = std::min(max_columns, nx_);
    max_rows = std::min(max_rows, ny_);
    const auto region = [&](size_t rows, size_t columns) {
      return CalibrationRegion{centred(ny_, ny_, rows), rows, centred(nx_, limit, columns), columns};
    };
    size_t rows = 1, columns = 1;
    if (!sampled(region(1, 1))) return {0, 0, 0, 0};
    bool more_rows = true, more_columns = true;
    while (more_rows || more_columns) {
      more_rows = more_rows && rows < max_rows && sampled(region(rows + 1, columns));
      if (more_rows) ++rows;
      more_columns = more_columns && columns < limit && sampled(region(rows, columns + 1));
      if (more_columns) ++columns;
    }
    return region(rows, columns);
  }

  size_t strongest_row(const CalibrationRegion& region) const {
    std::vector<double> energy(ny_);
    for (size_t c = 0; c < coils_; ++c)
      for (size_t y = 0; y < ny_; ++y)
        for (size_t x = region.column; x < region.column + region.columns; ++x) {
          const c32 value = kspace_[(c * ny_ + y) * nx_ + x];
          energy[y] += static_cast<double>(value.re) * value.re + static_cast<double>(value.im) * value.im;
        }
    double largest = 0;
    size_t best = region.row;
    for (size_t y = 0; y + region.rows <= ny_; ++y) {
      double sum = 0;
      for (size_t i = 0; i < region.rows; ++i) sum += energy[y + i];
      if (sum > largest) {
        largest = sum;
        best = y;
      }
    }
    return best;
  }

  bool sampled(const CalibrationRegion& region) const {
    for (size_t y = region.row; y < region.row + region.rows; ++y)
      for (size_t x = region.column; x < region.column + region.columns; ++x)
        if (!sampled(y, x)) return false;
    return true;
  }

 private:
  bool sampled(size_t y, size_t x) const {
    if (sampling_.data != nullptr) return sampling_.data[sampling_.lines ? x : y * nx_ + x] != 0;
    for (size_t c = 0; c < coils_; ++c) {
      const c32 value = kspace_[(c * ny_ + y) * nx_ + x];
      if (value.re != 0 || value.im != 0) return true;
    }
    return false;
  }

  size_t coils_, ny_, nx_;
  const c32* kspace_;
  Sampling sampling_;
};

}  // namespace

std::vector<uint8_t> sampled_points(size_t coils, size_t ny, size_t nx, const c32* kspace, const Sampling& sampling) {
  std::vector<uint8_t> points(ny * nx, 0);
  if (sampling.data != nullptr)
    for (size_t i = 0; i < ny * nx; ++i) points[i] = sampling.data[sampling.lines ? i % nx : i] != 0;
  else
    for (size_t c = 0; c < coils; ++c)
      for (size_t i = 0; i < ny * nx; ++i) {
        const c32 value = kspace[c * ny * nx + i];
        if (value.re != 0 || value.im != 0) points[i] = 1;
      }
  return points;
}

CalibrationRegion calibration_region(size_t coils, size_t ny, size_t nx, const c32* kspace, const Sampling& sampling, size_t max_rows,
                                     size_t max_columns) {
  const Search search(coils, ny, nx, kspace, sampling);
  CalibrationRegion region = search.grow(max_rows, max_columns);
  if (region.rows > 0 && search.sampled(CalibrationRegion{0, ny, region.column, region.columns})) region.row = search.strongest_row(region);
  return region;
}

}  // namespace larmor
