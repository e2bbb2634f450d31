// The kernel table compiled for any processor of the architecture.
#define LARMOR_KERNELS kernels_baseline
#define LARMOR_NAME "baseline"
#define LARMOR_LANES 4
#include "core/kernels.inl"
