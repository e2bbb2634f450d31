// Encoding problems of seeded noise, on the device and for the core.
#pragma once
#include "checks.h"
#include "core/encoding.h"

namespace larmor::gpu_check {

/// Floats interleaved [image, y, x, 2] as planes [image, 2, y, x].
Floats as_planes(const Floats& interleaved, size_t points);

class Problem {
 public:
  Problem(const Device& device, const Extent& extent, bool lines, bool planar);

  const Extent& extent() const { return extent_; }
  size_t image_floats() const { return 2 * extent_.images() * extent_.points(); }
  size_t kspace_floats() const { return 2 * extent_.planes() * extent_.points(); }
  LarmorCudaEncoding on_device() const;
  /// One problem of the batch.
  Encoding on_host(size_t index) const;
  MaskWeights mask(size_t index) const;
  const Floats& maps() const { return maps_; }
  const Floats& weights() const { return mask_; }
  const float* image(const Floats& images, size_t index) const { return images.data() + index * 2 * extent_.sets * extent_.points(); }
  const float* samples(const Floats& kspace, size_t index) const { return kspace.data() + index * 2 * extent_.coils * extent_.points(); }
  /// Images of all problems in this problem's layout, from what `make(index)` gives for each.
  Floats images(const std::function<Floats(size_t)>& make) const;
  /// Noise in the samples that the mask measures, NaN in the others, which nothing may read.
  Floats measured(uint64_t seed) const;
  std::string words() const;

 private:
  Extent extent_;
  bool lines_, planar_;
  Floats maps_, mask_;
  Array device_maps_, device_mask_;
};

/// Calls body(problem) for the extents and every combination of mask and layout that is worth its time.
void each_problem(Checks& checks, bool one_set, const char* name, const std::function<void(const Problem&)>& body);

}  // namespace larmor::gpu_check
