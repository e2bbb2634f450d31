// Centred unitary Fourier transforms of any length: X[k] = sum over j of x[j] exp(-+2 pi i (j - c)(k - c) / n) / sqrt(n), c = floor(n/2).
#pragma once
#include <cstddef>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// Transforms `rows` rows of n samples along the last axis. out may be in.
void fft_rows(const Parallel& parallel, bool inverse, size_t rows, size_t n, const c32* in, c32* out);

/// Transforms `batch` arrays [n, columns] along their first axis. out may be in.
void fft_columns(const Parallel& parallel, bool inverse, size_t batch, size_t n, size_t columns, const c32* in, c32* out);

/// Transforms `batch` images [ny, nx] along both axes. out may be in.
void fft2(const Parallel& parallel, bool inverse, size_t batch, size_t ny, size_t nx, const c32* in, c32* out);

}  // namespace larmor
