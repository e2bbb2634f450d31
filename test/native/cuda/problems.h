// Encoding problems side by side on the emulated device.
#pragma once
#include <vector>

#include "encoding_truth.h"
#include "on_device.h"

namespace larmor::test {

template <class T>
std::vector<T> joined(const std::vector<std::vector<T>>& parts) {
  std::vector<T> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// One after the other what `part` says of every case and its number.
template <class Cases, class Part>
auto each_case(const Cases& cases, Part&& part) {
  std::vector<decltype(part(cases[0], size_t{0}))> parts;
  for (size_t i = 0; i < cases.size(); ++i) parts.push_back(part(cases[i], i));
  return joined(parts);
}

/// Cases of the same sizes as one batch.
class Batch {
 public:
  Batch(const OnDevice& device, const std::vector<Case>& cases, bool planar)
      : cases_(cases),
        planar_(planar),
        maps_(device, each_case(cases, [](const Case& c, size_t) { return c.maps; })),
        mask_(device, each_case(cases, [](const Case& c, size_t) { return c.mask; })) {}

  LarmorCudaEncoding encoding() const {
    const EncodingSizes& sizes = cases_[0].sizes;
    const auto narrow = [](size_t value) { return static_cast<uint32_t>(value); };
    return {.batch = narrow(cases_.size()), .sets = narrow(sizes.sets), .coils = narrow(sizes.coils), .ny = narrow(sizes.ny), .nx = narrow(sizes.nx),
            .lines = cases_[0].lines, .planar = planar_, .device_maps = maps_, .device_mask = mask_};
  }
  /// Complex images as the device takes them, and back.
  std::vector<float> flat(const std::vector<c32>& images) const {
    const std::vector<float> interleaved(&images[0].re, &images[0].re + 2 * images.size());
    return planar_ ? planes(images, cases_[0].points()) : interleaved;
  }
  std::vector<c32> images(const std::vector<float>& flat) const {
    const size_t n = cases_[0].points();
    std::vector<c32> result(flat.size() / 2);
    for (size_t i = 0; i < result.size(); ++i) {
      const size_t first = i / n * 2 * n + i % n;
      result[i] = planar_ ? c32{flat[first], flat[first + n]} : c32{flat[2 * i], flat[2 * i + 1]};
    }
    return result;
  }

 private:
  std::vector<Case> cases_;
  bool planar_;
  DeviceArray<c32> maps_;
  DeviceArray<float> mask_;
};

/// Cases of the given sizes that differ in everything else.
inline std::vector<Case> make_cases(size_t count, const EncodingSizes& sizes, bool lines) {
  std::vector<Case> cases;
  for (size_t i = 0; i < count; ++i) {
    cases.push_back(make_case(sizes, lines));
    cases[i].maps = noise(cases[i].maps.size(), 20 + i);
    for (size_t j = 0; j < cases[i].mask.size(); ++j) cases[i].mask[j] *= static_cast<float>((j + i) % 4) / 2;
  }
  return cases;
}

/// Calls body() with memory for all planes at once, and again with so little that they go through piece by piece; both must give the same bits.
template <class Body>
auto in_pieces_too(const OnDevice& device, size_t bytes_left, Body&& body) {
  const auto whole = in_both_orders(body);
  const size_t memory = emulator::machine().memory;
  SUCCEED(cuda().trim(device));
  emulator::machine().memory = emulator::machine().used + bytes_left;
  const auto pieces = body();
  emulator::machine().memory = memory;
  CHECK(pieces.size() == whole.size() && std::memcmp(pieces.data(), whole.data(), whole.size() * sizeof(whole[0])) == 0);
  return whole;
}

}  // namespace larmor::test
