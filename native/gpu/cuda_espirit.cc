// Only matrices go up and maps come down; calibration, crop and weights stay on the host.
#include "gpu/cuda_espirit.h"

namespace larmor::gpu {

void espirit_on_device(CudaContext& context, const EspiritGrid& grid, const EspiritOptions& options, ImageSize size, c32* maps, float* values) {
  std::vector<c32> principal;
  for (const c64& coil : grid.principal) principal.push_back({static_cast<float>(coil.re), static_cast<float>(coil.im)});
  const uint64_t matrix_bytes = grid.matrices.size() * sizeof(float), principal_bytes = principal.size() * sizeof(c32);
  const uint64_t value_bytes = options.sets * size.points() * sizeof(float), map_bytes = 2 * grid.coils * value_bytes;
  const auto device_matrices = context.allocate(matrix_bytes), device_principal = context.allocate(principal_bytes);
  const auto device_maps = context.allocate(map_bytes), device_values = context.allocate(value_bytes);
  const LarmorCudaEspirit problem{.coils = static_cast<uint32_t>(grid.coils),
                                  .sets = static_cast<uint32_t>(options.sets),
                                  .points = static_cast<uint32_t>(grid.points),
                                  .iterations = static_cast<uint32_t>(options.iterations),
                                  .ny = static_cast<uint32_t>(size.ny),
                                  .nx = static_cast<uint32_t>(size.nx),
                                  .tolerance = kEspiritTolerance,
                                  .device_matrices = device_matrices->data(),
                                  .device_principal = device_principal->data()};
  context.use([&](const LarmorCudaTable& table, LarmorCudaContext* c) {
    check_cuda(table.upload(c, device_matrices->data(), grid.matrices.data(), matrix_bytes), "upload");
    check_cuda(table.upload(c, device_principal->data(), principal.data(), principal_bytes), "upload");
    check_cuda(table.espirit_maps(c, &problem, device_maps->data(), device_values->data()), "espirit_maps");
    check_cuda(table.download(c, maps, device_maps->data(), map_bytes), "download");
    check_cuda(table.download(c, values, device_values->data(), value_bytes), "download");
  });
}

}  // namespace larmor::gpu
