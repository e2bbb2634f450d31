// The kernel bodies of one instruction set. Included once per translation unit with LARMOR_KERNELS naming the table and
// LARMOR_LANES the floats in a vector register. No std templates here: an inline function built for AVX must not become the
// linker's shared copy, so everything lives in an unnamed namespace.
#include "core/kernels.h"

#include <utility>

namespace larmor {
namespace {

constexpr size_t kLanes = LARMOR_LANES;

#include "core/wide.inl"
#include "core/lanes.inl"

#include "core/adam.inl"
#include "core/conv.inl"
#include "core/fft.inl"
#include "core/encoding.inl"
#include "core/data_loss.inl"
#include "core/instance_norm.inl"
#include "core/machine.inl"
#include "core/hermitian.inl"
#include "core/coil_mixing.inl"
#include "core/conjugate_gradients.inl"
#include "core/proximal_gradient.inl"
#include "core/wavelet.inl"
#include "core/locally_low_rank.inl"
#include "core/eigenvectors.inl"
#include "core/patches.inl"
#include "core/spirit.inl"
#include "core/total_variation.inl"

}  // namespace

const Kernels LARMOR_KERNELS = {
    .name = LARMOR_NAME,
    .lanes = kLanes,
    .load_rows = load_rows,
    .store_rows = store_rows,
    .load_columns = load_columns,
    .store_columns = store_columns,
    .fft_time = fft_time,
    .fft_frequency = fft_frequency,
    .load_planes = load_planes,
    .store_planes = store_planes,
    .multiply_lanes = multiply_lanes,
    .add_conjugate_product = add_conjugate_product,
    .weigh_rows = weigh_rows,
    .weigh_columns = weigh_columns,
    .column_residual = column_residual,
    .plane_moments = plane_moments,
    .normalise_plane = normalise_plane,
    .norm_gradient_sums = norm_gradient_sums,
    .norm_gradient = norm_gradient,
    .conv_tile_channels = kConvOut,
    .conv3x3_strip = conv_strip<3>,
    .conv3x3_weight_gradient_strip = weight_gradient_strip<3>,
    .conv1x1_strip = conv_strip<1>,
    .conv1x1_weight_gradient_strip = weight_gradient_strip<1>,
    .interleave = interleave,
    .deinterleave = deinterleave,
    .all_finite = all_finite,
    .multiply_add_operations = 2 * kChains * kLanes,
    .multiply_adds = multiply_adds,
    .adam = adam,
    .add_scaled_dot = add_scaled_dot,
    .gradient_step = gradient_step,
    .next_direction = next_direction,
    .descend = descend,
    .momentum_sums = momentum_sums,
    .extrapolate = extrapolate,
    .wavelet_split = wavelet_split,
    .wavelet_join = wavelet_join,
    .combine_rows = combine_rows,
    .soft_threshold = soft_threshold,
    .planar_gram = planar_gram,
    .planar_multiply = planar_multiply,
    .mix_coils = mix_coils,
    .tv_primal_row = tv_primal_row,
    .tv_dual_row = tv_dual_row,
    .complex_axpy = complex_axpy,
    .hermitian_multiply = hermitian_multiply,
    .hermitian_rank2 = hermitian_rank2,
    .complex_dot = complex_dot,
    .subtract_multiple = subtract_multiple,
    .leading_eigenvectors = leading_eigenvectors,
    .correlate = correlate,
    .combine_neighbours = combine_neighbours,
    .consistency_matrices = consistency_matrices,
    .multiply_pixels = multiply_pixels,
};

}  // namespace larmor
