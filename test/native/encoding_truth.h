// The encoding operator from its formula in double precision, on problems made of seeded noise.
#pragma once
#include <vector>

#include "core/encoding.h"
#include "direct_dft.h"

namespace larmor::test {

struct Case {
  EncodingSizes sizes;
  std::vector<c32> maps;
  std::vector<float> mask;
  bool lines;

  size_t points() const { return sizes.ny * sizes.nx; }
  float weight(size_t point) const { return mask[lines ? point % sizes.nx : point]; }
  Encoding encoding() const { return Encoding(sizes, maps.data(), {mask.data(), lines}); }
};

inline Case make_case(const EncodingSizes& sizes, bool lines) {
  Case result{sizes, noise(sizes.sets * sizes.coils * sizes.ny * sizes.nx, 2), {}, lines};
  for (const c32& value : noise(lines ? sizes.nx : sizes.ny * sizes.nx, 3)) result.mask.push_back(value.re > -0.2f ? 1.0f : 0.0f);
  return result;
}

inline std::vector<Complex> encode(const Case& c, const std::vector<c32>& x) {
  const size_t n = c.points(), coils = c.sizes.coils;
  std::vector<Complex> y(coils * n);
  const std::vector<Complex> maps = widen(c.maps), image = widen(x);
  for (size_t set = 0; set < c.sizes.sets; ++set)
    for (size_t i = 0; i < y.size(); ++i) y[i] += maps[set * coils * n + i] * image[set * n + i % n];
  direct_dft2(false, c.sizes.ny, c.sizes.nx, y);
  for (size_t i = 0; i < y.size(); ++i) y[i] *= c.weight(i % n);
  return y;
}

inline std::vector<Complex> encode_adjoint(const Case& c, std::vector<Complex> y) {
  const size_t n = c.points(), coils = c.sizes.coils;
  std::vector<Complex> x(c.sizes.sets * n);
  const std::vector<Complex> maps = widen(c.maps);
  for (size_t i = 0; i < y.size(); ++i) y[i] *= c.weight(i % n);
  direct_dft2(true, c.sizes.ny, c.sizes.nx, y);
  for (size_t set = 0; set < c.sizes.sets; ++set)
    for (size_t i = 0; i < y.size(); ++i) x[set * n + i % n] += std::conj(maps[set * coils * n + i]) * y[i];
  return x;
}

inline std::vector<float> planes(const std::vector<c32>& x, size_t points) {
  std::vector<float> result(2 * x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    result[i / points * 2 * points + i % points] = x[i].re;
    result[i / points * 2 * points + points + i % points] = x[i].im;
  }
  return result;
}

}  // namespace larmor::test
