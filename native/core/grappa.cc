// One Gram matrix of the calibration region serves all sampling patterns: each takes the rows and columns of the entries that it sees.
// k-space is copied once with a margin of zeros, planar and column by column, so that the holes of a line mask lie side by side.
#include "core/grappa.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "core/cholesky.h"
#include "core/coded_error.h"
#include "core/kernels.h"
#include "core/sampling_patterns.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kHolesPerTask = 512;
constexpr size_t kBatchFloats = size_t{1} << 22;  // of weights at once: 16 MiB bound the memory that thousands of patterns take
constexpr size_t kGramSteps = 20;                 // of kGrappaSteps

/// k-space with a margin of zeros, unmeasured samples zero: planes [coil][column][row] of real and of imaginary parts.
class Neighbourhood {
 public:
  Neighbourhood(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* kspace, const uint8_t* sampled, Grid kernel)
      : ny_(ny), pitch_(ny + kernel.rows - 1), plane_((nx + kernel.columns - 1) * pitch_), floats_(coils * plane_ + kernels().lanes) {
    samples_.assign(2 * floats_, 0);
    constexpr size_t kTile = 16;  // rows: their columns then fill cache lines
    const size_t tiles = (ny + kTile - 1) / kTile;
    parallel(coils * tiles, [&](size_t task) {
      const size_t coil = task / tiles, first = task % tiles * kTile;
      float* const re = &samples_[coil * plane_ + kernel.columns / 2 * pitch_ + kernel.rows / 2];
      float* const im = re + floats_;
      for (size_t x = 0; x < nx; ++x)
        for (size_t y = first; y < std::min(ny, first + kTile); ++y) {
          if (sampled[y * nx + x] == 0) continue;
          const c32 value = kspace[(coil * ny + y) * nx + x];
          re[x * pitch_ + y] = value.re;
          im[x * pitch_ + y] = value.im;
        }
    });
  }

  const float* re() const { return samples_.data(); }
  const float* im() const { return samples_.data() + floats_; }
  /// Where the window of a hole, column * ny + row, begins.
  size_t window(size_t hole) const { return hole / ny_ * pitch_ + hole % ny_; }
  /// Of an entry within the window.
  size_t offset(size_t coil, size_t row, size_t column) const { return coil * plane_ + column * pitch_ + row; }

 private:
  size_t ny_, pitch_, plane_, floats_;
  std::vector<float> samples_;
};

/// Weights [entries of the pattern in every coil][coils] that explain the centre of a patch by those entries.
class WeightSolver {
 public:
  WeightSolver(size_t coils, const std::vector<c64>& gram, const GrappaOptions& options)
      : coils_(coils), side_(coils * options.kernel.size()), gram_(gram), options_(options) {}

  void solve(const Parallel& parallel, size_t count, const uint16_t* entries, float* weights) const {
    const size_t window = options_.kernel.size(), n = coils_ * count;
    const size_t centre = options_.kernel.rows / 2 * options_.kernel.columns + options_.kernel.columns / 2;
    const auto row = [&](size_t i) { return i / count * window + entries[i % count]; };
    std::vector<c64> normal(n * n), rhs(coils_ * n);
    for (size_t i = 0; i < n; ++i) {
      const c64* const from = &gram_[row(i) * side_];
      for (size_t j = 0; j <= i; ++j) normal[i * n + j] = from[row(j)];
      for (size_t c = 0; c < coils_; ++c) rhs[c * n + i] = entry(row(i), c * window + centre);
    }
    add_relative_ridge(n, options_.lambda, normal.data());
    if (!cholesky_factor(parallel, n, normal.data()))
      throw CodedError("ERR_CALIBRATION",
                       "grappa: the calibration region does not determine the weights of " + std::to_string(n) +
                           " neighbours: raise lambda, choose a smaller kernel, or sample more centre lines");
    cholesky_solve(n, normal.data(), coils_, rhs.data());
    for (size_t i = 0; i < n; ++i)
      for (size_t c = 0; c < coils_; ++c, weights += 2) {  // conjugated, for the matrix holds s s^H and the weights act on s
        weights[0] = static_cast<float>(rhs[c * n + i].re);
        weights[1] = static_cast<float>(-rhs[c * n + i].im);
      }
  }

 private:
  c64 entry(size_t i, size_t j) const {
    if (j <= i) return gram_[i * side_ + j];
    return {gram_[j * side_ + i].re, -gram_[j * side_ + i].im};
  }

  size_t coils_, side_;
  const std::vector<c64>& gram_;
  GrappaOptions options_;
};

/// Fills holes of one pattern, a register of them at a time.
class Filler {
 public:
  Filler(size_t coils, size_t ny, size_t nx, const Neighbourhood& samples, c32* out)
      : coils_(coils), ny_(ny), nx_(nx), samples_(samples), out_(out) {}

  /// `offsets` [entries] lead from a window to its samples, `weights` is [entries, coils].
  void fill(size_t count, const size_t* holes, size_t entries, const size_t* offsets, const float* weights) const {
    const size_t lanes = kernels().lanes;
    const Scratch sums(2 * coils_ * lanes), gathered(2 * entries * lanes);
    std::vector<size_t> packed(entries);
    for (size_t e = 0; e < entries; ++e) packed[e] = e * lanes;
    for (size_t first = 0; first < count; first += lanes) {
      const size_t width = std::min(lanes, count - first);
      const size_t* const block = holes + first;
      const bool run = block[width - 1] - block[0] == width - 1 && block[0] / ny_ == block[width - 1] / ny_;
      if (run) {
        const size_t at = samples_.window(block[0]);
        kernels().combine_neighbours(entries, coils_, offsets, samples_.re() + at, samples_.im() + at, weights, sums.data());
      } else {
        float *const re = gathered.data(), *const im = re + entries * lanes;
        for (size_t l = 0; l < lanes; ++l) {
          const size_t at = samples_.window(block[std::min(l, width - 1)]);
          for (size_t e = 0; e < entries; ++e) {
            re[e * lanes + l] = samples_.re()[at + offsets[e]];
            im[e * lanes + l] = samples_.im()[at + offsets[e]];
          }
        }
        kernels().combine_neighbours(entries, coils_, packed.data(), re, im, weights, sums.data());
      }
      for (size_t c = 0; c < coils_; ++c)
        for (size_t l = 0; l < width; ++l)
          out_[(c * ny_ + block[l] % ny_) * nx_ + block[l] / ny_] = {sums.data()[2 * c * lanes + l], sums.data()[(2 * c + 1) * lanes + l]};
    }
  }

 private:
  size_t coils_, ny_, nx_;
  const Neighbourhood& samples_;
  c32* out_;
};

struct Piece {
  size_t pattern, first, count;  // holes
};

}  // namespace

GrappaResult grappa(const Parallel& parallel, size_t coils, size_t ny, size_t nx, const c32* kspace, const uint8_t* sampled,
                    const CalibrationRegion& region, const GrappaOptions& options, c32* out, const std::function<void(size_t done)>& progress) {
  const Grid kernel = options.kernel;
  const SamplingPatterns patterns = sampling_patterns(ny, nx, sampled, kernel);
  const GrappaResult result{patterns.count(), patterns.missing, patterns.missing - patterns.holes.size()};
  parallel(coils, [&](size_t coil) {
    for (size_t i = 0; i < ny * nx; ++i) out[coil * ny * nx + i] = sampled[i] != 0 ? kspace[coil * ny * nx + i] : c32{0, 0};
  });
  if (patterns.count() == 0) return result;

  const std::vector<c64> gram = region_gram(parallel, coils, ny, nx, kspace, region, kernel, Margin::kZeros);
  progress(kGramSteps);
  const Neighbourhood samples(parallel, coils, ny, nx, kspace, sampled, kernel);
  const WeightSolver solver(coils, gram, options);
  const Filler filler(coils, ny, nx, samples, out);
  const auto entries_of = [&](size_t p) { return patterns.entry_begin[p + 1] - patterns.entry_begin[p]; };
  std::atomic<size_t> filled{0};
  size_t begin = 0;
  while (begin < patterns.count()) {
    size_t end = begin, floats = 0;
    std::vector<size_t> weight_begin, offset_begin;
    std::vector<Piece> pieces;
    size_t offsets = 0;
    for (; end < patterns.count() && (floats == 0 || floats < kBatchFloats); ++end) {
      weight_begin.push_back(floats);
      offset_begin.push_back(offsets);
      floats += 2 * coils * coils * entries_of(end);
      offsets += coils * entries_of(end);
      for (size_t hole = patterns.hole_begin[end]; hole < patterns.hole_begin[end + 1]; hole += kHolesPerTask)
        pieces.push_back({end, hole, std::min(kHolesPerTask, patterns.hole_begin[end + 1] - hole)});
    }
    std::vector<float> weights(floats);
    std::vector<size_t> offset(offsets);
    parallel(end - begin, [&](size_t i) {
      const size_t count = entries_of(begin + i);
      const uint16_t* const entries = &patterns.entries[patterns.entry_begin[begin + i]];
      solver.solve(parallel, count, entries, &weights[weight_begin[i]]);
      for (size_t e = 0; e < coils * count; ++e) {
        const size_t entry = entries[e % count];
        offset[offset_begin[i] + e] = samples.offset(e / count, entry / kernel.columns, entry % kernel.columns);
      }
    });
    parallel(pieces.size(), [&](size_t i) {
      const Piece& piece = pieces[i];
      const size_t p = piece.pattern - begin;
      filler.fill(piece.count, &patterns.holes[piece.first], coils * entries_of(piece.pattern), &offset[offset_begin[p]], &weights[weight_begin[p]]);
      const size_t done = filled.fetch_add(piece.count) + piece.count;
      progress(kGramSteps + (kGrappaSteps - kGramSteps) * done / patterns.holes.size());
    });
    begin = end;
  }
  return result;
}

}  // namespace larmor
