// Centred unitary transforms of images on the device.
#pragma once
#include <cmath>

#include "cuda/centring.h"
#include "cuda/context.h"

namespace larmor::cuda {

/// The centring of images [ny, nx], or of rows of nx.
inline Centring centring(Context& context, uint32_t ny, uint32_t nx, bool rows) {
  Centring result{nullptr, nullptr, rows, 1};
  if (nx % 2 == 0 && (rows || ny % 2 == 0)) {
    if (((nx / 2 + (rows ? 0 : ny / 2)) & 1) != 0) result.sign = -1;
    return result;
  }
  result.along_x = context.centring_phases(nx);
  if (!rows) result.along_y = context.centring_phases(ny);
  return result;
}

/// 1 / sqrt(points) with the centring's sign: what a transform is multiplied by, once.
inline float unitary_scale(const Centring& centring, uint64_t points) {
  return centring.sign * static_cast<float>(1 / std::sqrt(static_cast<double>(points)));
}

/// Largest image whose points fit the 32-bit indices of the kernels.
constexpr uint64_t kMostPoints = uint64_t{1} << 30;

}  // namespace larmor::cuda
