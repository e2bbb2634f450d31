// Encoding operators side by side, each with an image and k-space of its own: the frames of a series, or coils without maps.
#pragma once
#include <cstddef>
#include <vector>

#include "core/encoding.h"

namespace larmor {

/// Sizes of one encoding, the same for all; x is [frame, set, y, x], k-space [frame, coil, y, x].
class EncodingStack {
 public:
  /// Maps [frame, set, coil, y, x] and masks [frame, x] or [frame, y, x]; where they are shared, those of one frame serve all.
  EncodingStack(size_t frames, const EncodingSizes& sizes, const c32* maps, bool maps_shared, const MaskWeights& mask, bool mask_shared);

  size_t frames() const { return encodings_.size(); }
  size_t image_points() const { return sizes_.sets * sizes_.ny * sizes_.nx; }
  size_t kspace_points() const { return sizes_.coils * sizes_.ny * sizes_.nx; }
  /// x = A^H kspace
  void adjoint(const Parallel& parallel, const c32* kspace, float* x) const;
  /// y = A^H A x
  void normal(const Parallel& parallel, const float* x, float* y) const;
  /// ||kspace||^2 over the measured samples.
  double energy(const Parallel& parallel, const c32* kspace) const;
  /// An upper bound on the eigenvalues of A^H A: the largest, over all pixels, of the traces of the maps' Gram matrices or, where smaller, of
  /// their Gershgorin bounds. It is 1 for normalised maps, and met where the mask keeps the centre of k-space. Masks weigh by 0 or 1.
  double curvature(const Parallel& parallel) const;

 private:
  EncodingSizes sizes_;
  const c32* maps_;
  size_t map_frames_;
  MaskWeights mask_;
  size_t mask_stride_;
  std::vector<Encoding> encodings_;
};

}  // namespace larmor
