// The kernel table compiled for AVX2 with FMA.
#define LARMOR_KERNELS kernels_avx2
#define LARMOR_NAME "avx2"
#define LARMOR_LANES 8
#include "core/kernels.inl"
