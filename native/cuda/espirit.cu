// ESPIRiT's eigenproblems: the matrices of a row of pixels interpolated from their grid, then orthogonal iteration with a few lanes per pixel.
#include "cuda/context.h"
#include "cuda/device.h"
#include "cuda/entries.h"
#include "cuda/espirit_pixel.h"
#include "cuda/network_arguments.h"

namespace larmor::cuda {
namespace {

using namespace espirit;

constexpr uint32_t kShared = 48 << 10;              // bytes of shared memory that every device grants without being asked
constexpr uint32_t kMaxCoils = 108;                 // one pixel's matrix and vectors fill that memory then
constexpr uint32_t kMaxPoints = 1023;               // of kernels of 512: the indices of a row's matrices stay far below 2^32
constexpr uint64_t kRowFloats = uint64_t{1} << 19;  // of interpolated rows at a time: 2 MiB stay in the second-level cache
constexpr double kPi = 3.14159265358979323846;

/// weights [points, n]: of a grid over the field of view at pixels 0..n-1, the origin at pixel n / 2; the polynomial's degree makes this exact.
__global__ void espirit_weights_kernel(uint32_t points, uint32_t n, float* weights) {
  const uint64_t i = global_index();
  if (i >= static_cast<uint64_t>(points) * n) return;
  const double position = (static_cast<double>(i % n) - static_cast<double>(n / 2)) / n;
  const double half = kPi * (position - static_cast<double>(i / n) / points);
  const double below = points * sin(half);
  weights[i] = fabs(below) < 1e-9 ? 1.0f : static_cast<float>(sin(points * half) / below);
}

/// rows [row, points, cells]: the grid [points, packed entries, points] at one image row each, in the order of the square.
__global__ void espirit_rows_kernel(Problem p, uint32_t first_row, const float* matrices, const float* weights, float* rows) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y;
  if (i >= p.points * p.cells()) return;
  const uint32_t g = i / p.cells(), cell = i % p.cells(), r = cell / p.coils, c = cell % p.coils;
  const uint32_t entry = r > c ? r * r + 2 * c + 1 : c * c + 2 * r;
  float sum = 0;
  for (uint32_t from = 0; from < p.points; ++from)
    sum += weights[static_cast<uint64_t>(from) * p.ny + first_row + row] * matrices[(static_cast<uint64_t>(from) * p.cells() + entry) * p.points + g];
  rows[static_cast<uint64_t>(row) * p.points * p.cells() + i] = sum;
}

/// Interpolates the matrices of the block's pixels along x: `rows` are the image row's, [points, cells].
__device__ inline void load_matrices(const Problem& p, uint32_t pixels, const float* rows, const float* weights, float* shared) {
  const uint32_t first = blockIdx.x * pixels;
  for (uint32_t cell = threadIdx.x; cell < p.cells(); cell += blockDim.x) {
    float* const to = shared + cell / p.coils * p.pitch() + cell % p.coils;
    for (uint32_t pixel = 0; pixel < pixels; pixel += 4) {
      float sums[4] = {};
      for (uint32_t g = 0; g < p.points; ++g) {
        const float value = rows[static_cast<uint64_t>(g) * p.cells() + cell];
        for (uint32_t i = 0; i < 4; ++i)
          if (pixel + i < pixels && first + pixel + i < p.nx) sums[i] += value * weights[static_cast<uint64_t>(g) * p.nx + first + pixel + i];
      }
      for (uint32_t i = 0; i < 4; ++i)
        if (pixel + i < pixels) to[(pixel + i) * p.floats()] = sums[i];
    }
  }
}

/// A block takes blockDim.x / kLanes neighbouring pixels of image row first_row + blockIdx.y. Beyond the row matrices are 0.
template <uint32_t kLanes>
__global__ void espirit_maps_kernel(Problem p, uint32_t first_row, const float* rows, const float* weights, const float2* principal, float2* maps,
                                    float* values) {
  float* const shared = dynamic_shared<float>();
  const uint32_t pixels = blockDim.x / kLanes, x = blockIdx.x * pixels, y = first_row + blockIdx.y;
  const Pixel<kLanes> pixel{p, threadIdx.x % kLanes, shared + threadIdx.x / kLanes * p.floats()};
  load_matrices(p, pixels, rows + static_cast<uint64_t>(blockIdx.y) * p.points * p.cells(), weights, shared);
  for (uint32_t set = 0; set < p.sets; ++set) pixel.start(set);
  __syncthreads();

  for (uint32_t iteration = 0; iteration < p.iterations; ++iteration) {
    int moves = 0;
    for (uint32_t set = 0; set < p.sets; ++set) moves |= pixel.step(set) ? 1 : 0;
    for (uint32_t step = kLanes; step < 32; step *= 2) moves |= __shfl_xor_sync(0xffffffffu, moves, static_cast<int>(step));
    if (moves == 0) break;  // of the warp's pixels
  }
  for (uint32_t set = 0; set < p.sets; ++set) pixel.normalise(set, principal);
  __syncthreads();

  const uint64_t plane = static_cast<uint64_t>(p.ny) * p.nx;
  for (uint32_t i = threadIdx.x; i < p.sets * (p.coils + 1) * pixels; i += blockDim.x) {
    const uint32_t at = i % pixels, c = i / pixels % (p.coils + 1), set = i / pixels / (p.coils + 1);
    if (x + at >= p.nx) continue;
    const Pixel<kLanes> from{p, 0, shared + at * p.floats()};
    const uint64_t place = from.rank(set), to = static_cast<uint64_t>(y) * p.nx + x + at;
    if (c == p.coils)
      values[place * plane + to] = from.values()[set];
    else
      maps[(place * p.coils + c) * plane + to] = from.vector(set)[c];
  }
}

template <uint32_t kLanes>
void run(Context& context, const Problem& p, const LarmorCudaEspirit& espirit, float* maps, float* values) {
  constexpr uint32_t kPixelsOfWarp = 32 / kLanes;
  uint32_t pixels = kBlock / kLanes;
  while (pixels > kPixelsOfWarp && pixels * p.floats() * sizeof(float) > kShared) pixels /= 2;
  const size_t shared = pixels * p.floats() * sizeof(float);
  require(shared <= kShared, "sets must be fewer, got ", p.sets, ", which with ", p.coils, " coils need ", shared, " bytes of shared memory of ",
          kShared);
  const cudaStream_t stream = context.stream();
  const Scratch<float> columns(context.memory(), static_cast<size_t>(p.points) * p.nx), lines(context.memory(), static_cast<size_t>(p.points) * p.ny);
  launch("espirit_weights", espirit_weights_kernel, dim3(blocks_for(uint64_t{p.points} * p.nx, kBlock)), dim3(kBlock), 0, stream, p.points, p.nx,
         columns.data());
  launch("espirit_weights", espirit_weights_kernel, dim3(blocks_for(uint64_t{p.points} * p.ny, kBlock)), dim3(kBlock), 0, stream, p.points, p.ny,
         lines.data());

  const uint64_t row_floats = uint64_t{p.points} * p.cells(), fitting = kRowFloats / row_floats;
  const uint32_t rows = static_cast<uint32_t>(fitting < 1 ? 1 : fitting < p.ny ? fitting : p.ny), batch = rows < kMaxGridY ? rows : kMaxGridY;
  const Scratch<float> interpolated(context.memory(), batch * row_floats);
  for (uint32_t row = 0; row < p.ny; row += batch) {
    const uint32_t count = batch < p.ny - row ? batch : p.ny - row;
    launch("espirit_rows", espirit_rows_kernel, dim3(blocks_for(row_floats, kBlock), count), dim3(kBlock), 0, stream, p, row, espirit.device_matrices,
           lines.data(), interpolated.data());
    launch("espirit_maps", espirit_maps_kernel<kLanes>, dim3((p.nx - 1) / pixels + 1, count), dim3(pixels * kLanes), shared, stream, p, row,
           interpolated.data(), columns.data(), reinterpret_cast<const float2*>(espirit.device_principal), reinterpret_cast<float2*>(maps), values);
  }
}

}  // namespace

LarmorCudaStatus espirit_maps(LarmorCudaContext* context, const LarmorCudaEspirit* espirit, float* device_maps, float* device_values) {
  return on_context("espirit_maps", context, [&](Context& c) {
    require(espirit != nullptr, "espirit must not be null");
    const Problem p{.coils = espirit->coils,
                    .sets = espirit->sets,
                    .points = espirit->points,
                    .iterations = espirit->iterations,
                    .ny = espirit->ny,
                    .nx = espirit->nx,
                    .tolerance = espirit->tolerance};
    require_sizes({{"coils", p.coils}, {"sets", p.sets}, {"iterations", p.iterations}, {"ny", p.ny}, {"nx", p.nx}});
    require(p.coils <= kMaxCoils, "coils must be at most ", kMaxCoils, ", got ", p.coils, ": compress the coils");
    require(p.sets <= p.coils, "sets must be at most the number of coils, ", p.coils, ", got ", p.sets);
    require(p.points % 2 == 1 && p.points <= kMaxPoints, "points must be odd and at most ", kMaxPoints, ", got ", p.points);
    require(p.tolerance >= 0, "tolerance must be at least 0, got ", p.tolerance);
    product({{"sets", p.sets}, {"coils", p.coils}, {"ny", p.ny}, {"nx", p.nx}});
    product({{"coils", p.coils}, {"coils", p.coils}, {"points", p.points}, {"points", p.points}});
    require_arrays({{"device_matrices", espirit->device_matrices},
                    {"device_principal", espirit->device_principal},
                    {"device_maps", device_maps},
                    {"device_values", device_values}});
    require(aligned_to(sizeof(float2), espirit->device_principal) && aligned_to(sizeof(float2), device_maps),
            "device_principal and device_maps must start at multiples of ", sizeof(float2), " bytes");
    const auto solve = p.coils <= 8 ? run<8> : p.coils <= 16 ? run<16> : run<32>;
    solve(c, p, *espirit, device_maps, device_values);
  });
}

}  // namespace larmor::cuda
