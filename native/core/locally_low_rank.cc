// With X X^H = U diag(s^2) U^H the shrunk block is U diag(max(0, 1 - t / s)) U^H X: a small eigenproblem, and no singular vectors of pixels.
#include "core/locally_low_rank.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/hermitian_eigen.h"
#include "core/kernels.h"
#include "core/scratch.h"

namespace larmor {
namespace {

constexpr size_t kTile = 16;  // floats of the widest register: planes are padded to a multiple

/// One block as planes [component, (re, im), padded pixel], zero beyond its pixels.
class Block {
 public:
  Block(const BlockStack& stack, Shift shift, size_t row, size_t column)
      : stack_(stack),
        y_(row * stack.block + shift.y),
        x_(column * stack.block + shift.x),
        rows_(std::min(stack.block, stack.ny - row * stack.block)),
        columns_(std::min(stack.block, stack.nx - column * stack.block)) {}

  size_t pixels() const { return rows_ * columns_; }
  size_t padded() const { return (pixels() + kTile - 1) / kTile * kTile; }
  double noise_norm() const { return std::sqrt(static_cast<double>(pixels())) + std::sqrt(static_cast<double>(stack_.components)); }

  void load(const c32* images, float* planes) const {
    std::fill_n(planes, 2 * stack_.components * padded(), 0.0f);
    each([&](size_t from, size_t to) {
      planes[to] = images[from].re;
      planes[to + padded()] = images[from].im;
    });
  }
  void store(const float* planes, c32* images) const {
    each([&](size_t to, size_t from) { images[to] = {planes[from], planes[from + padded()]}; });
  }

 private:
  /// body(index in the images, index in the planes) for every sample.
  template <class F>
  void each(F&& body) const {
    for (size_t c = 0; c < stack_.components; ++c)
      for (size_t y = 0; y < rows_; ++y)
        for (size_t x = 0; x < columns_; ++x)
          body((c * stack_.ny + (y_ + y) % stack_.ny) * stack_.nx + (x_ + x) % stack_.nx, 2 * c * padded() + y * columns_ + x);
  }

  const BlockStack& stack_;
  size_t y_, x_, rows_, columns_;
};

/// Sum over blocks of body(block, planes, gram), gram being X X^H of the loaded planes; rows of blocks are tasks.
template <class F>
double each_block(const Parallel& parallel, const BlockStack& stack, Shift shift, const c32* images, F&& body) {
  const size_t n = stack.components, rows = (stack.ny + stack.block - 1) / stack.block, columns = (stack.nx + stack.block - 1) / stack.block;
  std::vector<double> sums(rows);
  parallel(rows, [&](size_t row) {
    const size_t most = std::min(stack.block, stack.ny) * std::min(stack.block, stack.nx);
    const Scratch planes(2 * n * (most + kTile));
    std::vector<c64> gram(n * n);
    for (size_t column = 0; column < columns; ++column) {
      const Block block(stack, shift, row, column);
      block.load(images, planes.data());
      kernels().planar_gram(n, block.padded(), planes.data(), gram.data());
      sums[row] += body(block, planes.data(), gram);
    }
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

/// Shrinks the singular values of the planes by `threshold`.
void shrink(size_t components, size_t padded, double threshold, const std::vector<c64>& gram, float* planes) {
  const size_t floats = 2 * components * padded;
  double energy = 0;
  for (size_t c = 0; c < components; ++c) energy += gram[c * components + c].re;
  if (energy <= threshold * threshold) {  // and so is every singular value
    std::fill_n(planes, floats, 0.0f);
    return;
  }
  const HermitianEigen eigen(Serial(), components, gram.data());
  size_t rank = 0;
  while (rank < components && eigen.values()[rank] > threshold * threshold) ++rank;
  std::vector<c64> vectors(rank * components);
  eigen.vectors(Serial(), rank, vectors.data());
  std::vector<c32> project(rank * components), restore(components * rank);
  for (size_t k = 0; k < rank; ++k) {
    const double factor = 1 - threshold / std::sqrt(eigen.values()[k]);
    for (size_t c = 0; c < components; ++c) {
      const c64 u = vectors[k * components + c];
      project[k * components + c] = {static_cast<float>(u.re), static_cast<float>(-u.im)};
      restore[c * rank + k] = {static_cast<float>(factor * u.re), static_cast<float>(factor * u.im)};
    }
  }
  const Scratch projected(2 * rank * padded);
  kernels().planar_multiply(rank, components, padded, project.data(), planes, projected.data());
  kernels().planar_multiply(components, rank, padded, restore.data(), projected.data(), planes);
}

}  // namespace

void shrink_blocks(const Parallel& parallel, const BlockStack& stack, double weight, Shift shift, c32* images) {
  each_block(parallel, stack, shift, images, [&](const Block& block, float* planes, const std::vector<c64>& gram) {
    shrink(stack.components, block.padded(), weight * block.noise_norm(), gram, planes);
    block.store(planes, images);
    return 0.0;
  });
}

double blocks_norm(const Parallel& parallel, const BlockStack& stack, const c32* images) {
  return each_block(parallel, stack, {0, 0}, images, [&](const Block& block, const float*, const std::vector<c64>& gram) {
    double norm = 0;
    const HermitianEigen eigen(Serial(), stack.components, gram.data());
    for (const double value : eigen.values()) norm += std::sqrt(std::max(0.0, value));
    return block.noise_norm() * norm;
  });
}

}  // namespace larmor
