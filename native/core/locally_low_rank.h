// The proximal map of local low rank: blocks of a stack of images, as matrices [component, pixel], lose singular values.
#pragma once
#include <cstddef>

#include "core/complex.h"
#include "core/parallel.h"
#include "core/wavelet.h"

namespace larmor {

/// A stack of images [component, y, x] cut into blocks of `block` x `block` pixels, those at the far edges smaller.
struct BlockStack {
  size_t components, ny, nx, block;
};

/// `images` becomes the minimiser u of 1/2 ||u - images||^2 + weight * sum over blocks of w ||u_block||_*, the nuclear norm, where
/// w = sqrt(pixels) + sqrt(components) is the largest singular value that white noise of unit deviation is expected to have (Davidson
/// and Szarek). The grid of blocks starts at `shift` and wraps around.
void shrink_blocks(const Parallel& parallel, const BlockStack& stack, double weight, Shift shift, c32* images);

/// The sum over blocks of w ||block||_*, for the grid that starts at the first pixel.
double blocks_norm(const Parallel& parallel, const BlockStack& stack, const c32* images);

}  // namespace larmor
