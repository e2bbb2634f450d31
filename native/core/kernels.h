// The kernel table: one record of function pointers per instruction set, chosen once per process.
#pragma once
#include <cstddef>

#include "core/complex.h"
#include "core/fft_steps.h"

namespace larmor {

/// What normalises one channel plane: z = (x - mean) * inverse_deviation, a = scale * z + bias, y = a > 0 ? a : slope * a.
struct NormPlane {
  float mean, inverse_deviation, scale, bias, slope;
  float below = 1;  // of gradients: what z is multiplied by where it is negative, 1 / slope where x is a leaky ReLU of it
};

/// A packed strip of image rows, one zero column after each: tap (ky, kx) of position p is x[p + ky * row + kx].
struct ConvStrip {
  size_t length;    // positions of y, a multiple of 16, the zero columns included
  size_t row;       // positions of one row
  size_t y_stride;  // floats between channels of y or dy
  size_t x_stride;  // floats between channels of x, which hold length + 2 * row + 2 finite values
};

/// Adam's constants at one step, as PyTorch rounds them.
struct AdamCoefficients {
  float beta1, one_minus_beta1, beta2, one_minus_beta2;
  float step_size;          // learning rate / (1 - beta1^step)
  float second_correction;  // sqrt(1 - beta2^step)
  float epsilon;
};

/// Measured samples beside one buffer of column lanes.
struct ResidualColumns {
  const uint32_t* column;  // [lanes]: where the columns lie in a measured row
  const c32* measured;     // [n][stride]
  size_t stride;
  const float *weight, *held_out;  // [n][weight_stride]; held_out may be null
  size_t weight_stride;
  float scale;  // of the predicted samples, and of the result
};

/// Sums of |re| + |im|, or of squared magnitudes, over the weighted samples.
struct ResidualSums {
  double residual, reference, held_out_residual, held_out_reference;
};

/// Four taps on samples 2 i - 2 to 2 i + 1 for the coarse band and for the detail; and of the inverse, for samples 2 i - 2 and 2 i - 1, on the
/// coarse band at i - 1 and i and the details there.
struct WaveletTaps {
  float split[2][4], join[2][4];
};

/// Sums over the elements of (z - x) (x - previous), of (x - previous)^2 and of x^2.
struct MomentumSums {
  double ascent, change, size;
  void operator+=(const MomentumSums& other) {
    ascent += other.ascent;
    change += other.change;
    size += other.size;
  }
};

/// One step on the dual of total variation: along the gradient by `rate`, onto discs of `radius`, and on by `momentum` times the change.
struct TvStep {
  float rate, radius, momentum;
};

/// Inner loops that profit from wide instructions. Arguments run sizes, inputs, outputs; outputs never alias inputs unless said.
/// Each is compiled per instruction set from the *.inl files that kernels.inl lists.
struct Kernels {
  const char* name;  // "baseline", "avx2", "avx512"
  size_t lanes;      // rows or columns in a lane buffer: [slot][re, im][lanes] floats, 64-byte aligned

  /// Lane buffers (lanes.inl). Sample j of every row goes to, or comes from, slot[j]; at most `lanes` rows or columns, `stride`
  /// samples between rows. `swap` exchanges real and imaginary parts. In column buffers the lane order is private to the pair.
  void (*load_rows)(size_t rows, size_t n, const c32* in, size_t stride, const uint32_t* slot, bool swap, float* lanes);
  void (*store_rows)(size_t rows, size_t n, const float* lanes, const uint32_t* slot, bool swap, float scale, c32* out, size_t stride);
  void (*load_columns)(size_t columns, size_t n, const c32* in, size_t stride, const uint32_t* slot, bool swap, float* lanes);
  void (*store_columns)(size_t columns, size_t n, const float* lanes, const uint32_t* slot, bool swap, float scale, c32* out, size_t stride);

  /// The forward transform of a lane buffer in place, unscaled (fft.inl): from time slots to frequency slots, and the other way.
  void (*fft_time)(const FftSteps& steps, float* lanes);
  void (*fft_frequency)(const FftSteps& steps, float* lanes);

  /// Like load_rows and store_rows for real and imaginary parts in planes of their own (encoding.inl).
  void (*load_planes)(size_t rows, size_t n, const float* re, const float* im, size_t stride, const uint32_t* slot, float* lanes);
  void (*store_planes)(size_t rows, size_t n, const float* lanes, const uint32_t* slot, float* re, float* im, size_t stride);
  /// out = a b, or out += a b, for n slots of lane buffers.
  void (*multiply_lanes)(size_t n, bool accumulate, const float* a, const float* b, float* out);
  /// sum += conj(map) x, x with real and imaginary parts swapped.
  void (*add_conjugate_product)(size_t n, const float* map, const float* x, float* sum);
  /// Multiplies sample k of row lanes by weight[k], and swaps real and imaginary parts.
  void (*weigh_rows)(size_t n, const float* weight, const uint32_t* slot, float* lanes);
  /// Multiplies sample k of column lanes by weight[k * stride + column], and swaps real and imaginary parts.
  void (*weigh_columns)(size_t n, const float* weight, size_t stride, const uint32_t* slot, float* lanes);

  /// With r = weight (scale x - measured) and s its sign per part (absolute) or r itself: the sums, and x = scale weight s with real and
  /// imaginary parts swapped. x are column lanes in natural order.
  void (*column_residual)(bool absolute, size_t n, const ResidualColumns& columns, const uint32_t* slot, float* lanes, ResidualSums* sums);

  /// Mean and biased variance of n >= 1 values, accurate to the float rounding of a deviation from the mean.
  void (*plane_moments)(size_t n, const float* x, double* mean, double* variance);
  /// y = leaky ReLU of the normalised plane. y may be x.
  void (*normalise_plane)(size_t n, const NormPlane& plane, const float* x, float* y);
  /// With g = dy * (a > 0 ? 1 : slope): the sums of g and of g * z.
  void (*norm_gradient_sums)(size_t n, const NormPlane& plane, const float* dy, const float* x, double* sum, double* weighted_sum);
  /// dx = inverse_deviation * scale * (g - mean_gradient - z * mean_weighted), the means being those of the two sums. dx may be dy.
  void (*norm_gradient)(size_t n, const NormPlane& plane, float mean_gradient, float mean_weighted, const float* dy, const float* x, float* dx);

  /// Output channels per tile of the convolutions.
  size_t conv_tile_channels;
  /// y[o][p] = sum over i, ky, kx of weights[i][3 ky + kx][o] * x[i][p + ky * row + kx] for each of `tiles` tiles of output channels o,
  /// whose weights lie tile_stride floats apart; `add` adds to y.
  void (*conv3x3_strip)(size_t tiles, size_t ci, const ConvStrip& strip, const float* weights, size_t tile_stride, const float* x, bool add, float* y);
  /// Adds to dw[o * dw_stride + 9 i + 3 ky + kx] the sum over p of dy[o][p] * x[i][p + ky * row + kx]; dy is zero at the zero columns.
  void (*conv3x3_weight_gradient_strip)(size_t co, size_t ci, const ConvStrip& strip, const float* dy, const float* x, size_t dw_stride, float* dw);
  /// The same two for a single tap: products of matrices.
  void (*conv1x1_strip)(size_t tiles, size_t ci, const ConvStrip& strip, const float* weights, size_t tile_stride, const float* x, bool add, float* y);
  void (*conv1x1_weight_gradient_strip)(size_t co, size_t ci, const ConvStrip& strip, const float* dy, const float* x, size_t dw_stride, float* dw);
  /// both[2 i] = even[i], both[2 i + 1] = odd[i], and back.
  void (*interleave)(size_t n, const float* even, const float* odd, float* both);
  void (*deinterleave)(size_t n, const float* both, float* even, float* odd);

  bool (*all_finite)(size_t n, const float* x);

  /// Operations of one round of multiply_adds.
  size_t multiply_add_operations;
  /// `rounds` of independent multiply-adds in registers (machine.inl); 0 <= x <= 0.5, and so is the result.
  float (*multiply_adds)(size_t rounds, float x);

  /// Updates parameter and both moments in place.
  void (*adam)(size_t n, const AdamCoefficients& coefficients, const float* gradient, float* parameter, float* first, float* second);

  // conjugate_gradients.inl: vectors of n floats, sums in double.

  /// q += lambda p; the sum of p q.
  double (*add_scaled_dot)(size_t n, float lambda, const float* p, float* q);
  /// x += alpha p, r -= alpha q; the sum of r r.
  double (*gradient_step)(size_t n, float alpha, const float* p, const float* q, float* x, float* r);
  /// p = r + beta p
  void (*next_direction)(size_t n, float beta, const float* r, float* p);

  // proximal_gradient.inl: vectors of n floats.

  /// x = z - step (product - right)
  void (*descend)(size_t n, float step, const float* z, const float* product, const float* right, float* x);
  MomentumSums (*momentum_sums)(size_t n, const float* z, const float* x, const float* previous);
  /// z = x + beta (x - previous)
  void (*extrapolate)(size_t n, float beta, const float* x, const float* previous, float* z);

  // wavelet.inl: complex samples.

  /// Coarse band and detail of `pairs` pairs from the samples x[-2] to x[2 pairs - 1].
  void (*wavelet_split)(size_t pairs, const WaveletTaps& taps, const c32* x, c32* low, c32* high);
  /// The inverse: x[-2] to x[2 pairs - 3] from low and high at -1 to pairs - 1.
  void (*wavelet_join)(size_t pairs, const WaveletTaps& taps, const c32* low, const c32* high, c32* x);
  /// Two weighted sums of four rows of n samples.
  void (*combine_rows)(size_t n, const float* first_taps, const float* second_taps, const c32* const* rows, c32* first, c32* second);
  /// Every x loses `threshold` of its magnitude, or all of it; the sum of the magnitudes that stay.
  double (*soft_threshold)(size_t n, float threshold, c32* x);

  // locally_low_rank.inl: planes [row, (re, im), n], n a multiple of 16.

  /// The lower triangle of x x^H, [rows, rows].
  void (*planar_gram)(size_t rows, size_t n, const float* x, c64* gram);
  /// y = matrix x, matrix being [rows, inner].
  void (*planar_multiply)(size_t rows, size_t inner, size_t n, const c32* matrix, const float* x, float* y);

  // coil_mixing.inl

  /// out[r] = sum over c of matrix[r * coils + c] in[c], for n samples of `mixed` rows; rows lie `in_stride` and `out_stride` apart.
  void (*mix_coils)(size_t n, size_t coils, size_t mixed, const c32* matrix, const c32* in, size_t in_stride, c32* out, size_t out_stride);

  // total_variation.inl: rows of n >= 1 samples on a torus; `vertical` and `horizontal` are the components of differences along y and x.

  /// row = x - D^H (vertical, horizontal), `below` being the next row of vertical.
  void (*tv_primal_row)(size_t n, const c32* x, const c32* vertical, const c32* below, const c32* horizontal, c32* row);
  /// Each dual becomes the projection of point + rate D row, next that plus momentum times its change.
  void (*tv_dual_row)(size_t n, const TvStep& step, const c32* above, const c32* row, const c32* vertical_point, const c32* horizontal_point,
                      c32* vertical_dual, c32* horizontal_dual, c32* vertical_next, c32* horizontal_next);

  // hermitian.inl: double precision, planar; a is [n, stride] of which the triangle column <= row is used, with a real diagonal.

  /// y += (ar + i ai) x
  void (*complex_axpy)(size_t n, double ar, double ai, const double* xr, const double* xi, double* yr, double* yi);
  /// p = A u
  void (*hermitian_multiply)(size_t n, size_t stride, const double* ar, const double* ai, const double* ur, const double* ui, double* pr,
                             double* pi);
  /// A -= u w^H + w u^H
  void (*hermitian_rank2)(size_t n, size_t stride, const double* ur, const double* ui, const double* wr, const double* wi, double* ar,
                          double* ai);

  /// The sum of a[i] conj(b[i]), of interleaved samples.
  c64 (*complex_dot)(size_t n, const c64* a, const c64* b);
  /// b -= factor a
  void (*subtract_multiple)(size_t n, c64 factor, const c64* a, c64* b);

  /// Eigenvectors of the `sets` largest eigenvalues of one Hermitian matrix [coils, coils] per pixel of a row, by power iteration.
  /// Matrix entry e of pixel x is the sum over g of grid[e, g] weights[g, x]; entries run over the rows of the lower triangle, each
  /// re, im, the diagonal re alone. `vectors` [sets, coils, 2, pixels] holds starts and receives unnormalised eigenvectors, `values`
  /// [sets, pixels] the eigenvalues. A pixel ends when |M v - value v| <= tolerance |value v|, or after `iterations`.
  /// `pixels` is a multiple of 16; scratch holds 16 * coils * (coils + 2 * (sets + 1)) floats.
  void (*leading_eigenvectors)(size_t pixels, size_t points, size_t coils, size_t sets, size_t iterations, float tolerance,
                               const float* grid, const float* weights, float* vectors, float* values, float* scratch);

  // patches.inl

  /// sum[s] = sum over i < n of a[i] conj(b[i + s]), for all s < shifts; planar.
  void (*correlate)(size_t n, size_t shifts, const double* ar, const double* ai, const double* br, const double* bi, double* sum_re,
                    double* sum_im);
  /// out [coils][re, im][lanes] = sum over e of weights [entries][coils][re, im] times the lanes that begin at re + offset[e], im + offset[e].
  void (*combine_neighbours)(size_t entries, size_t coils, const size_t* offset, const float* re, const float* im, const float* weights,
                             float* out);

  // spirit.inl: Hermitian matrices [tiles of lanes pixels][coils^2][lanes], rows of the lower triangle, each re, im, the diagonal re alone;
  // the lane order is private to the pair.

  /// E^H E of every pixel of a row, E = sum over o of row [coils, coils, kernel] times phases [kernel][re, im][pixels, padded to lanes], less
  /// the identity. Scratch holds 2 * coils^2 * lanes floats.
  void (*consistency_matrices)(size_t pixels, size_t coils, size_t kernel, const c32* row, const float* phases, float* matrices,
                               float* scratch);
  /// Multiplies the coils of each pixel, `stride` samples apart, by its matrix, in place. Scratch holds 4 * coils * lanes floats.
  void (*multiply_pixels)(size_t pixels, size_t coils, size_t stride, const float* matrices, c32* x, float* scratch);
};

extern const Kernels kernels_baseline, kernels_avx2, kernels_avx512;

/// The widest table this processor runs, capped by the environment variable LARMOR_ISA (baseline | avx2 | avx512).
const Kernels& kernels();

}  // namespace larmor
