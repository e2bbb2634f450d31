// Images from k-space of which one side was not measured, by what is known of their phase.
#pragma once
#include <cstddef>
#include <functional>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// Images [batch, ny, nx] of which k-space was measured at positions [first, end) along one axis; the centre n / 2 lies among them, and
/// reaches further on one side than on the other.
struct PartialFourier {
  size_t batch, ny, nx;
  bool along_y;
  size_t first, end;

  size_t length() const { return along_y ? ny : nx; }
};

/// Homodyne reconstruction in place: what lies outside [first, end) is ignored. The image is weighed by a ramp over the band measured on both
/// sides, from 0 where nothing to 2 where one side was measured, and its part in phase with the image of that band is kept.
void homodyne(const Parallel& parallel, const PartialFourier& partial, c32* images);

struct PocsResult {
  size_t iterations;
  double change;   // of the samples not measured at the last iteration, relative to all
  bool converged;  // by tolerance
};

/// Projection onto convex sets in place: images of the phase of the band measured on both sides, and of the samples measured, in turns.
/// Ends after `iterations`, or when the change falls to `tolerance`; `progress` is told the iterations done.
PocsResult pocs(const Parallel& parallel, const PartialFourier& partial, size_t iterations, double tolerance, c32* images,
                const std::function<void(size_t)>& progress);

}  // namespace larmor
