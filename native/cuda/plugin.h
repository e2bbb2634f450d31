// The CUDA plugin's one exported table: the contract between the addon, which knows no CUDA, and larmor_cuda, which knows no JavaScript.
//
// Plain C: the two are built by different compilers. Every function that can fail returns a LarmorCudaStatus; the reason is last_error(),
// of the calling thread. Pointers called device_* are memory of the context's device; all work is queued on the context's stream, in order,
// and is only waited for where said. A context is used by one thread at a time; several contexts may work at once.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Counts every change of this header.
#define LARMOR_CUDA_ABI 2
#define LARMOR_CUDA_ENTRY "larmor_cuda_table"

typedef enum LarmorCudaStatus {
  LARMOR_CUDA_OK = 0,
  LARMOR_CUDA_ARGUMENT = 1,     // a size, pointer or option is not allowed
  LARMOR_CUDA_MEMORY = 2,       // out of device memory; what the call had allocated is freed
  LARMOR_CUDA_UNAVAILABLE = 3,  // no driver, no device, a failed self-test, or no cuFFT for a length that needs it
  LARMOR_CUDA_FAILED = 4        // the device or cuFFT reported an error
} LarmorCudaStatus;

typedef struct LarmorCudaContext LarmorCudaContext;

typedef struct LarmorCudaDevice {
  char name[256];
  int32_t major, minor;                                // compute capability
  int32_t multiprocessors;
  int32_t driver_version, runtime_version, cufft_version;  // as CUDA and cuFFT number them; 0 without cuFFT
  uint64_t memory_total, memory_free;                  // bytes
} LarmorCudaDevice;

typedef struct LarmorCudaMemory {
  uint64_t arrays, array_bytes;  // allocate() minus release()
  uint64_t work_bytes;           // scratch and plans kept by the context
  uint64_t peak_bytes;           // of both together
} LarmorCudaMemory;

// `batch` problems side by side. mask holds non-negative float weights, [batch, nx] when `lines`, else [batch, ny, nx]; maps are
// [batch, set, coil, ny, nx] complex. Images are [batch, set, ...]: interleaved complex [ny, nx], or planes [2, ny, nx] when `planar`
// (as networks have them). K-space is interleaved, [batch, coil, ny, nx].
typedef struct LarmorCudaEncoding {
  uint32_t batch, sets, coils, ny, nx;
  int32_t lines, planar;
  const float* device_maps;
  const float* device_mask;
} LarmorCudaEncoding;

typedef struct LarmorCudaSolve {
  uint32_t iterations;
  float regularisation;        // lambda in (A^H A + lambda) x = b
  const float* device_weight;  // [1], in place of regularisation, where not null
  float tolerance;             // stops a problem of the batch where ||r|| <= tolerance ||b||; 0: never
  int32_t from_zero;           // 1: x is not read, the iteration starts at 0, which saves one application of A^H A
} LarmorCudaSolve;

typedef struct LarmorCudaNorm {  // instance normalisation with leaky ReLU of [n, channels, pixels]; scale and bias [channels] or both null
  uint32_t n, channels, pixels;
  const float* device_scale;
  const float* device_bias;
  float slope;
} LarmorCudaNorm;

// The eigenproblems of ESPIRiT: `matrices` [points, coils * coils, points] and the coils' principal component [coils] (complex) as
// core/espirit.h's EspiritGrid has them; the power iteration of a pixel ends at a relative residual of `tolerance`.
typedef struct LarmorCudaEspirit {
  uint32_t coils, sets, points, iterations, ny, nx;
  float tolerance;
  const float* device_matrices;
  const float* device_principal;
} LarmorCudaEspirit;

typedef struct LarmorCudaAdam {
  double learning_rate, beta1, beta2, epsilon;
  uint64_t step;  // 1 for the first
} LarmorCudaAdam;

typedef struct LarmorCudaTable {
  uint32_t abi;   // LARMOR_CUDA_ABI
  uint32_t size;  // sizeof(LarmorCudaTable)

  const char* (*last_error)(void);  // of the calling thread's last failed call

  // Devices. device_count also opens cuFFT, so that everything that can be missing is missed here.
  LarmorCudaStatus (*device_count)(int32_t* count);
  LarmorCudaStatus (*describe_device)(int32_t device, LarmorCudaDevice* description);
  // Runs an FFT, an encoding and a sum on small data and compares numbers: LARMOR_CUDA_UNAVAILABLE says which was wrong, and by how much.
  LarmorCudaStatus (*self_test)(int32_t device);

  // Contexts: a stream, its plans and scratch. synchronize waits for the stream and reports what failed on it.
  LarmorCudaStatus (*context_create)(int32_t device, LarmorCudaContext** context);
  void (*context_destroy)(LarmorCudaContext* context);
  void* (*context_stream)(LarmorCudaContext* context);  // cudaStream_t
  LarmorCudaStatus (*synchronize)(LarmorCudaContext* context);
  LarmorCudaStatus (*memory)(LarmorCudaContext* context, LarmorCudaMemory* use);
  LarmorCudaStatus (*trim)(LarmorCudaContext* context);  // frees scratch and plans

  // Memory. upload and download return when the host's memory is free to use again.
  LarmorCudaStatus (*allocate)(LarmorCudaContext* context, uint64_t bytes, void** device_memory);
  LarmorCudaStatus (*release)(LarmorCudaContext* context, void* device_memory);
  LarmorCudaStatus (*upload)(LarmorCudaContext* context, void* device_to, const void* from, uint64_t bytes);
  LarmorCudaStatus (*download)(LarmorCudaContext* context, void* to, const void* device_from, uint64_t bytes);
  LarmorCudaStatus (*copy)(LarmorCudaContext* context, void* device_to, const void* device_from, uint64_t bytes);
  LarmorCudaStatus (*fill_zero)(LarmorCudaContext* context, void* device_memory, uint64_t bytes);

  // Centred unitary transforms of `count` complex images [ny, nx]; out may be in.
  LarmorCudaStatus (*fft2)(LarmorCudaContext* context, int32_t inverse, uint64_t count, uint32_t ny, uint32_t nx, const float* device_in, float* device_out);

  // The encoding operator A x = M F sum over sets of S x. normal's y may be x; with a line mask only rows are transformed.
  LarmorCudaStatus (*encode)(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_image, float* device_kspace);
  LarmorCudaStatus (*encode_adjoint)(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_kspace, float* device_image);
  LarmorCudaStatus (*encode_normal)(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_image, float* device_result);
  // maps = conj(image) F^H M kspace of every coil, [batch, coil, ny, nx]; one set. device_maps of the encoding is not read.
  LarmorCudaStatus (*encode_maps_gradient)(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_image, const float* device_kspace, float* device_maps);

  // r = M (F S x - y) [batch, coil, ny, nx], an array of its own; and kspace - step M (kspace - measured) + change, which may be kspace or change, and its gradient with respect to step; absent arrays are null.
  LarmorCudaStatus (*residual)(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_image, const float* device_kspace, float* device_residual);
  LarmorCudaStatus (*sample_step)(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_kspace, const float* device_step, const float* device_measured, const float* device_change, float* device_result);
  LarmorCudaStatus (*sample_step_gradient)(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const float* device_dy, const float* device_kspace, const float* device_measured, float* device_dstep);
  // norm 1 or 2, sums over the batch as core/data_loss.h; NaN where kspace is 0 at every sample of the mask. loss and held-out loss are [1] each on the device; held_out is a mask like the encoding's.
  LarmorCudaStatus (*data_loss)(LarmorCudaContext* context, int32_t norm, const LarmorCudaEncoding* encoding, const float* device_held_out, const float* device_image, const float* device_kspace, float* device_loss, float* device_held_out_loss, float* device_gradient);

  // x = (A^H A + lambda)^-1 b by conjugate gradients from x as given, on the device throughout; x is not b. Iterations done and relative residuals,
  // [batch] on the host, may be null: then, and with tolerance 0, nothing is waited for. A weight that is negative or not finite makes x NaN.
  LarmorCudaStatus (*solve_normal)(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const LarmorCudaSolve* solve, const float* device_b, float* device_x, uint32_t* iterations, float* residuals);

  // ESPIRiT's heavy part, the leading eigenvectors at every pixel: maps [sets, coils, ny, nx] (complex) of unit norm in phase with the principal
  // component, values [sets, ny, nx], the larger first. Calibration, crop and weights stay on the host (core: espirit_grid, weigh_maps).
  LarmorCudaStatus (*espirit_maps)(LarmorCudaContext* context, const LarmorCudaEspirit* espirit, float* device_maps, float* device_values);

  // Networks: as core/network.h, images planar [n, channel, y, x]. instance_norm's y may be x, the norm gradients' dx may be dy.
  LarmorCudaStatus (*instance_norm)(LarmorCudaContext* context, const LarmorCudaNorm* norm, float epsilon, const float* device_x, float* device_y, float* device_mean, float* device_inverse_deviation);
  LarmorCudaStatus (*instance_norm_gradient)(LarmorCudaContext* context, const LarmorCudaNorm* norm, const float* device_dy, const float* device_x, const float* device_mean, const float* device_inverse_deviation, float* device_dx, float* device_dscale, float* device_dbias);
  LarmorCudaStatus (*instance_norm_output_gradient)(LarmorCudaContext* context, const LarmorCudaNorm* norm, const float* device_dy, const float* device_y, const float* device_inverse_deviation, float* device_dx);
  // x has channels in two arrays where device_beside is not null: the first `split` in device_x, the others there.
  LarmorCudaStatus (*conv3x3)(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width, uint32_t split, int32_t transposed, const float* device_x, const float* device_beside, const float* device_weights, uint32_t split_out, float* device_y, float* device_y_beside);
  LarmorCudaStatus (*conv3x3_weight_gradient)(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width, uint32_t split, const float* device_x, const float* device_beside, const float* device_dy, float* device_dw);
  LarmorCudaStatus (*conv1x1_weight_gradient)(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint64_t pixels, const float* device_x, const float* device_dy, float* device_dw, float* device_dbias);
  LarmorCudaStatus (*conv_transpose2x2)(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width, const float* device_x, const float* device_weights, float* device_y);
  LarmorCudaStatus (*conv_transpose2x2_input_gradient)(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width, const float* device_dy, const float* device_weights, float* device_dx);
  LarmorCudaStatus (*conv_transpose2x2_weight_gradient)(LarmorCudaContext* context, uint32_t n, uint32_t ci, uint32_t co, uint32_t height, uint32_t width, const float* device_x, const float* device_dy, float* device_dw);
  LarmorCudaStatus (*average_pool2x2_gradient)(LarmorCudaContext* context, uint64_t planes, uint32_t height, uint32_t width, const float* device_dy, float* device_dx);

  // One Adam step on `count` parameters, as core/network.h; and the sum of squares of `count` values, [1] on the device (for clipping).
  LarmorCudaStatus (*adam)(LarmorCudaContext* context, const LarmorCudaAdam* options, uint64_t count, float* device_parameters, const float* device_gradient, float* device_m, float* device_v);
  LarmorCudaStatus (*squared_norm)(LarmorCudaContext* context, uint64_t count, const float* device_values, float* device_result);
  LarmorCudaStatus (*scale)(LarmorCudaContext* context, uint64_t count, float factor, float* device_values);
  // to += factor values.
  LarmorCudaStatus (*add_scaled)(LarmorCudaContext* context, uint64_t count, float factor, const float* device_values, float* device_to);
  // to += rate (values - to), a running average: what is equal in both stays so to the bit.
  LarmorCudaStatus (*approach)(LarmorCudaContext* context, uint64_t count, float rate, const float* device_values, float* device_to);
} LarmorCudaTable;

typedef const LarmorCudaTable* (*LarmorCudaEntry)(void);

#ifdef __cplusplus
}
#endif
