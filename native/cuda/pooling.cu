// Gradient of the mean over 2x2 blocks.
#include "cuda/context.h"
#include "cuda/device.h"
#include "cuda/entries.h"
#include "cuda/network_arguments.h"

namespace larmor::cuda {
namespace {

constexpr uint32_t kColumns = 32, kRows = kBlock / kColumns;

/// A warp per row of dx: rows and columns without a partner get 0.
__global__ void average_pool2x2_gradient_kernel(uint64_t rows, uint32_t height, uint32_t width, const float* dy, float* dx) {
  const uint64_t row = static_cast<uint64_t>(blockIdx.x) * kRows + threadIdx.y;
  if (row >= rows) return;
  const uint64_t plane = row / height, half_height = height / 2, half_width = width / 2, y = row % height / 2;
  const float* const from = dy + (plane * half_height + y) * half_width;
  for (uint32_t x = threadIdx.x; x < width; x += kColumns) dx[row * width + x] = y < half_height && x / 2 < half_width ? 0.25f * from[x / 2] : 0.0f;
}

}  // namespace

LarmorCudaStatus average_pool2x2_gradient(LarmorCudaContext* context, uint64_t planes, uint32_t height, uint32_t width, const float* device_dy,
                                          float* device_dx) {
  return on_context("average_pool2x2_gradient", context, [&](Context& c) {
    require_sizes({{"planes", planes}, {"height", height}, {"width", width}});
    const uint64_t rows = product({{"planes", planes}, {"height", height}, {"width", width}}) / width;
    require(device_dy != nullptr || height == 1 || width == 1, "device_dy must not be null");
    require_arrays({{"device_dx", device_dx}});
    const uint32_t blocks = grid_size((rows - 1) / kRows + 1, kMaxGridX, "planes * height", kRows);
    launch("average_pool2x2_gradient", average_pool2x2_gradient_kernel, dim3(blocks), dim3(kColumns, kRows), 0, c.stream(), rows, height, width,
           device_dy, device_dx);
  });
}

}  // namespace larmor::cuda
