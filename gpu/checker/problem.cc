// The making of encoding problems.
#include "problem.h"

#include <cmath>
#include <limits>

#include "values.h"

namespace larmor::gpu_check {
namespace {

/// Weights 0, 1 and between; about a half are 0.
Floats mask_weights(size_t count) {
  Floats weights = noise(count, 3);
  for (float& weight : weights) weight = weight < 0 ? 0.0f : weight < 0.8f ? 1.0f : 0.5f;
  if (count > 0) weights[count / 2] = 1;
  return weights;
}

/// So that the squared magnitudes of all coils sum to 1 on average.
Floats coil_maps(size_t count, uint32_t coils) {
  Floats maps = noise(count, 2);
  const float scale = std::sqrt(1.5f / static_cast<float>(coils));
  for (float& value : maps) value *= scale;
  return maps;
}

}  // namespace

Floats as_planes(const Floats& interleaved, size_t points) {
  Floats planes(interleaved.size());
  for (size_t i = 0; i < interleaved.size() / 2; ++i)
    for (size_t part = 0; part < 2; ++part) planes[(2 * (i / points) + part) * points + i % points] = interleaved[2 * i + part];
  return planes;
}

Problem::Problem(const Device& device, const Extent& extent, bool lines, bool planar)
    : extent_(extent),
      lines_(lines),
      planar_(planar),
      maps_(coil_maps(2 * size_t{extent.sets} * extent.planes() * extent.points(), extent.coils)),
      mask_(mask_weights(extent.batch * (lines ? size_t{extent.nx} : extent.points()))),
      device_maps_(device, maps_),
      device_mask_(device, mask_) {}

LarmorCudaEncoding Problem::on_device() const {
  return {.batch = extent_.batch, .sets = extent_.sets, .coils = extent_.coils, .ny = extent_.ny, .nx = extent_.nx, .lines = lines_, .planar = planar_,
          .device_maps = device_maps_, .device_mask = device_mask_};
}

MaskWeights Problem::mask(size_t index) const { return {mask_.data() + index * (lines_ ? extent_.nx : extent_.points()), lines_}; }

Encoding Problem::on_host(size_t index) const {
  const c32* const maps = complex(maps_.data()) + index * extent_.sets * extent_.coils * extent_.points();
  return Encoding({extent_.sets, extent_.coils, extent_.ny, extent_.nx}, maps, mask(index));
}

Floats Problem::images(const std::function<Floats(size_t)>& make) const {
  Floats all;
  for (size_t i = 0; i < extent_.batch; ++i) {
    const Floats one = make(i);
    all.insert(all.end(), one.begin(), one.end());
  }
  return planar_ ? as_planes(all, extent_.points()) : all;
}

Floats Problem::measured(uint64_t seed) const {
  Floats kspace = noise(kspace_floats(), seed);
  const size_t n = extent_.points(), slice = extent_.coils * n;
  for (size_t i = 0; i < kspace.size() / 2; ++i)
    if (mask(i / slice).at(i % n / extent_.nx, i % extent_.nx, extent_.nx) == 0) kspace[2 * i] = kspace[2 * i + 1] = std::numeric_limits<float>::quiet_NaN();
  return kspace;
}

std::string Problem::words() const { return extent_.words() + (lines_ ? ", lines" : ", points") + (planar_ ? ", planar" : ""); }

void each_problem(Checks& checks, bool one_set, const char* name, const std::function<void(const Problem&)>& body) {
  for (const Extent& extent : checks.sizes.extents)
    for (const bool lines : {true, false})
      try {
        const Extent chosen = one_set ? Extent{extent.batch, 1, extent.coils, extent.ny, extent.nx} : extent;
        body(Problem(checks.device, chosen, lines, lines == (extent.batch == 1)));
      } catch (const std::exception& reason) {
        checks.fail(name, extent.words() + ": " + reason.what());
      }
}

}  // namespace larmor::gpu_check
