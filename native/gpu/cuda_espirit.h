// ESPIRiT's eigenproblems on a CUDA device.
#pragma once
#include "core/espirit.h"
#include "gpu/cuda_context.h"

namespace larmor::gpu {

/// Fills `maps` [sets, coils, ny, nx] and `values` [sets, ny, nx] from the matrices of espirit_grid(), as espirit() does but for the pixels'
/// iterations, which end one by one. Throws CodedError ERR_OUT_OF_MEMORY, ERR_DEVICE, ERR_CLOSED.
void espirit_on_device(CudaContext& context, const EspiritGrid& grid, const EspiritOptions& options, ImageSize size, c32* maps, float* values);

}  // namespace larmor::gpu
