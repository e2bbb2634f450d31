// The kernel table compiled for AVX-512.
#define LARMOR_KERNELS kernels_avx512
#define LARMOR_NAME "avx512"
#define LARMOR_LANES 16
#include "core/kernels.inl"
