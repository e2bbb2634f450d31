// A^H A of masks of whole lines in one kernel: the transforms along y cancel, so that rows stay apart, and a row of some coils fits in shared memory.
//
// Per coil sample it reads one map, 8 bytes, from the device's memory, and again from a cache; the image is read and written once. Nothing could
// move less.
#include <algorithm>

#include "cuda/encoding.h"
#include "cuda/row_transform.h"

namespace larmor::cuda {
namespace {

constexpr uint32_t kRowBlock = 128;            // threads: several blocks share a multiprocessor, and one waits at barriers while others work
constexpr size_t kSharedBytes = size_t{48} << 10;  // what every device gives a block

/// Shared memory of a block, for n points and `together` coils at once: two arrays of rows, which the stages read and write in turn, the image and the
/// result of every set, roots, squared weights.
struct Shared {
  float2 *rows, *image, *result, *roots;
  float* weights;

  static size_t bytes(uint32_t n, uint32_t sets, uint32_t together) {
    return n * (sizeof(float2) * (2 * static_cast<size_t>(together) + 2 * static_cast<size_t>(sets) + 1) + sizeof(float));
  }
  __device__ Shared(uint32_t n, uint32_t sets, uint32_t together) {
    rows = dynamic_shared<float2>();
    image = rows + 2 * static_cast<size_t>(together) * n;
    result = image + static_cast<size_t>(sets) * n;
    roots = result + static_cast<size_t>(sets) * n;
    weights = reinterpret_cast<float*>(roots + n);
  }
};

/// blockIdx.x is the row, blockIdx.y the slice. result may be image: a block reads all of its row before it writes it.
__global__ void __launch_bounds__(kRowBlock, 8)
    lines_normal_kernel(EncodingView view, const __grid_constant__ RowPlan plan, uint32_t together, const float2* roots, const float* image, float* result) {
  const uint32_t n = view.nx, y = blockIdx.x, slice = blockIdx.y;
  const Shared shared(n, view.sets, together);
  const uint32_t other = together * n;
  const uint64_t component = static_cast<uint64_t>(slice) * view.sets;
  for (uint32_t x = threadIdx.x; x < n; x += blockDim.x) {
    const float weight = view.weight(view.mask, slice, x);
    shared.weights[x] = weight * weight / static_cast<float>(n);
    shared.roots[x] = roots[x];
    for (uint32_t set = 0; set < view.sets; ++set) {
      shared.image[set * n + x] = view.centring.apply<false>(view.load(image, component + set, y * n + x), y, x);
      shared.result[set * n + x] = {0, 0};
    }
  }
  __syncthreads();

  for (uint32_t coil = 0; coil < view.coils; coil += together) {
    const uint32_t count = min(together, view.coils - coil);
    for (uint32_t i = threadIdx.x; i < count * n; i += blockDim.x) {
      const uint32_t c = coil + i / n, x = i % n;
      float2 sum{0, 0};
      for (uint32_t set = 0; set < view.sets; ++set) sum = sum + view.maps[view.map(slice, set, c) + y * n + x] * shared.image[set * n + x];
      shared.rows[i] = sum;
    }
    __syncthreads();

    // There, then back as the conjugate of the transform of the conjugate, weighted on the way into its first stage.
    uint32_t from = 0;
    for (int pass = 0; pass < 2; ++pass) {
      RowStage stage{n, 1, shared.roots};
      for (uint32_t s = 0; s < plan.stages; ++s) {
        const uint32_t radix = plan.radix[s], butterflies = n / radix;
        const float* const weights = pass == 1 && s == 0 ? shared.weights : nullptr;
        for (uint32_t i = threadIdx.x; i < count * butterflies; i += blockDim.x) {
          const uint32_t row = i / butterflies * n;
          const float2* const in = shared.rows + from + row;
          float2* const out = shared.rows + (other - from) + row;
          const auto load = [&](uint32_t at) { return weights == nullptr ? in[at] : weights[at] * conjugate(in[at]); };
          stage.butterfly(radix, i % butterflies, load, [&](uint32_t at, float2 value) { out[at] = value; });
        }
        stage.product *= radix;
        from = other - from;
        __syncthreads();
      }
    }
    if (plan.stages == 0)  // n is 1
      for (uint32_t i = threadIdx.x; i < count; i += blockDim.x) shared.rows[i] = shared.weights[0] * conjugate(shared.rows[i]);
    __syncthreads();

    for (uint32_t x = threadIdx.x; x < n; x += blockDim.x)
      for (uint32_t set = 0; set < view.sets; ++set) {
        float2 sum = shared.result[set * n + x];
        for (uint32_t c = 0; c < count; ++c)
          sum = sum + conjugate(view.maps[view.map(slice, set, coil + c) + y * n + x] * shared.rows[from + c * n + x]);
        shared.result[set * n + x] = sum;
      }
    __syncthreads();
  }

  for (uint32_t x = threadIdx.x; x < n; x += blockDim.x)
    for (uint32_t set = 0; set < view.sets; ++set)
      view.store(result, component + set, y * n + x, view.centring.apply<true>(shared.result[set * n + x], y, x));
}

}  // namespace

bool lines_normal(const Encoder& encoder, const float* image, float* result) {
  const LarmorCudaEncoding& sizes = encoder.sizes();
  const std::optional<RowPlan> plan = row_plan(sizes.nx);
  if (!plan || Shared::bytes(sizes.nx, sizes.sets, 1) > kSharedBytes) return false;
  uint32_t most = 1;
  while (most < sizes.coils && Shared::bytes(sizes.nx, sizes.sets, most + 1) <= kSharedBytes) ++most;
  const uint32_t rounds = (sizes.coils + most - 1) / most, together = (sizes.coils + rounds - 1) / rounds;
  const float2* const roots = encoder.context().roots(sizes.nx);
  for (uint32_t slice = 0; slice < sizes.batch; slice += 65535) {
    const Chunk chunk{slice, std::min(65535u, sizes.batch - slice), 0, sizes.coils};
    const uint64_t start = slice * encoder.image_floats();
    launch("lines_normal", lines_normal_kernel, dim3(sizes.ny, chunk.slices), dim3(kRowBlock), Shared::bytes(sizes.nx, sizes.sets, together), encoder.context().stream(),
           encoder.view(chunk, true), *plan, together, roots, image + start, result + start);
  }
  return true;
}

}  // namespace larmor::cuda
