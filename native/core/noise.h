// Noise of coils: whitening by its covariance, and Gaussian noise of a given covariance drawn reproducibly.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/complex.h"
#include "core/parallel.h"

namespace larmor {

/// Largest over smallest eigenvalue of the Hermitian matrix [n, n]; infinity where it is not positive definite.
double condition_number(size_t n, const c64* matrix);

/// matrix [n, n] = s L^-1 for covariance = L L^H, with s^2 = n / trace(covariance^-1).
/// Returns false where the covariance is not positive definite to working precision.
bool whitening_matrix(size_t n, const c64* covariance, c32* matrix);

/// factor [n, n] = the lower triangular L with covariance = L L^H. Returns false where there is none.
bool noise_factor(size_t n, const c64* covariance, c32* factor);

/// out [coils, points] = in + factor times complex normal numbers of E|z|^2 = 1. `seed` and `replica` name the numbers: the same for any
/// thread count, independent between replicas. Samples of `in` that are exactly zero were not measured and stay; without `in` there is noise
/// everywhere.
void add_noise(const Parallel& parallel, size_t coils, size_t points, const c32* factor, uint64_t seed, uint32_t replica, const c32* in,
               c32* out);

/// Ten rounds of Philox-4x32 on `counter`, in place.
/// Salmon et al., Parallel random numbers: as easy as 1, 2, 3. SC 2011.
void philox4x32(const uint32_t (&key)[2], uint32_t (&counter)[4]);

}  // namespace larmor
