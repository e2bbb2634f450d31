// ESPIRiT's eigenproblems of the reference plugin. To be included by reference_plugin.cc, after reference_encoding.h.
#pragma once

/// Value at pixel i of n, its origin at n / 2, of the trigonometric polynomial that is 1 at sample g of `points`, and 0 at the others.
double dirichlet(size_t g, size_t points, size_t i, size_t n) {
  const double turn = (static_cast<double>(i) - static_cast<double>(n / 2)) / static_cast<double>(n) - static_cast<double>(g) / static_cast<double>(points);
  double sum = 1;
  for (size_t k = 1; k <= points / 2; ++k) sum += 2 * std::cos(2 * M_PI * static_cast<double>(k) * turn);
  return sum / static_cast<double>(points);
}

/// The Hermitian matrix of a pixel, row by row, from packed samples: of the lower triangle re and im, then the diagonal.
Image pixel_matrix(const LarmorCudaEspirit& e, size_t y, size_t x) {
  const size_t coils = e.coils, points = e.points, entries = coils * coils;
  std::vector<double> packed(entries);
  for (size_t gy = 0; gy < points; ++gy)
    for (size_t gx = 0; gx < points; ++gx) {
      const double weight = dirichlet(gy, points, y, e.ny) * dirichlet(gx, points, x, e.nx);
      for (size_t entry = 0; entry < entries; ++entry) packed[entry] += weight * e.device_matrices[(gy * entries + entry) * points + gx];
    }
  Image matrix(entries);
  size_t entry = 0;
  for (size_t c = 0; c < coils; ++c) {
    for (size_t d = 0; d < c; ++d, entry += 2) {
      matrix[c * coils + d] = {packed[entry], packed[entry + 1]};
      matrix[d * coils + c] = std::conj(matrix[c * coils + d]);
    }
    matrix[c * coils + c] = packed[entry++];
  }
  return matrix;
}

/// The leading eigenvectors of a Hermitian matrix, largest first: power iteration to the end, each found one taken out of the matrix.
LarmorCudaStatus espirit_maps(LarmorCudaContext*, const LarmorCudaEspirit* e, float* maps, float* values) {
  const size_t coils = e->coils, points = size_t{e->ny} * e->nx;
  const Image principal = load(e->device_principal, coils);
  for (size_t point = 0; point < points; ++point) {
    Image matrix = pixel_matrix(*e, point / e->nx, point % e->nx);
    for (size_t set = 0; set < e->sets; ++set) {
      Image v(coils), w(coils);
      for (size_t c = 0; c < coils; ++c) v[c] = std::polar(1.0, 2.4 * static_cast<double>(c * c));
      double value = 0;
      for (int iteration = 0; iteration < 300; ++iteration) {
        for (size_t c = 0; c < coils; ++c) {
          w[c] = 0;
          for (size_t d = 0; d < coils; ++d) w[c] += matrix[c * coils + d] * v[d];
        }
        value = std::sqrt(energy(w));
        for (size_t c = 0; c < coils; ++c) v[c] = value > 0 ? w[c] / value : v[c] / std::sqrt(energy(v));
      }
      Complex projection = 0;
      for (size_t c = 0; c < coils; ++c) projection += std::conj(principal[c]) * v[c];
      const Complex phase = std::abs(projection) > 0 ? std::conj(projection) / std::abs(projection) : Complex{1};
      for (size_t c = 0; c < coils; ++c) {
        const Complex map = v[c] * phase;
        float* const to = maps + 2 * ((set * coils + c) * points + point);
        to[0] = static_cast<float>(map.real());
        to[1] = static_cast<float>(map.imag());
        for (size_t d = 0; d < coils; ++d) matrix[c * coils + d] -= value * v[c] * std::conj(v[d]);
      }
      values[set * points + point] = static_cast<float>(value);
    }
  }
  return LARMOR_CUDA_OK;
}
