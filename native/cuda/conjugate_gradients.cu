// Hestenes and Stiefel's iteration for a batch of problems, wholly on the device: no number of it is waited for, unless a tolerance may end it early.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cuda/encoding.h"
#include "cuda/entries.h"

namespace larmor::cuda {
namespace {

constexpr uint32_t kSumBlocks = 128;   // of a problem: partial sums, which every block of the next kernel adds for itself; about a multiprocessor each
constexpr uint32_t kItersPerLook = 4;  // iterations between two looks at whether all problems have converged

/// The numbers of each problem. Kernels of one iteration read energy[turn] and write energy[1 - turn]: their blocks are in no order.
struct State {
  double* energy[2];     // ||r||^2
  double* reference;     // ||b||^2
  double* partials[2];   // [problem, kSumBlocks], of one reduction while the other is being read
  uint32_t* iterations;
};

struct Vectors {
  uint64_t length;  // floats of a problem
  const float* b;
  float *x, *p, *q, *r;
};

/// The weight of the identity. One that must not be makes all of the solution NaN, for the host does not see it.
struct Weight {
  float value;
  const float* device;
  __device__ float get() const {
    const float weight = device == nullptr ? value : *device;
    return weight >= 0 && weight < INFINITY ? weight : NAN;
  }
};

/// The sum of a problem's partial sums; every thread of the block must call it.
__device__ inline double total_of(const double* partials, uint32_t problem, uint32_t blocks) {
  return block_sum(threadIdx.x < blocks ? partials[static_cast<uint64_t>(problem) * kSumBlocks + threadIdx.x] : 0.0);
}

__device__ inline void leave_partial(double* partials, double sum) {
  sum = block_sum(sum);
  if (threadIdx.x == 0) partials[static_cast<uint64_t>(blockIdx.y) * kSumBlocks + blockIdx.x] = sum;
}

/// r = p = b - (q + weight x), and the partial sums of ||b||^2 and ||r||^2; from zero, x is set to 0 and q not read.
__global__ void start_kernel(Vectors v, Weight weight, bool from_zero, State state) {
  const uint64_t first = blockIdx.y * v.length;
  const float lambda = weight.get();
  double reference = 0, energy = 0;
  for (uint64_t i = global_index(); i < v.length; i += global_threads()) {
    const float b = v.b[first + i], r = from_zero ? b : b - (v.q[first + i] + lambda * v.x[first + i]);
    if (from_zero) v.x[first + i] = 0;
    v.r[first + i] = v.p[first + i] = r;
    reference += static_cast<double>(b) * b;
    energy += static_cast<double>(r) * r;
  }
  leave_partial(state.partials[0], reference);
  leave_partial(state.partials[1], energy);
}

__global__ void start_state_kernel(State state, uint32_t blocks) {
  const double reference = total_of(state.partials[0], blockIdx.y, blocks), energy = total_of(state.partials[1], blockIdx.y, blocks);
  if (threadIdx.x != 0) return;
  state.reference[blockIdx.y] = reference;
  state.energy[0][blockIdx.y] = energy;
  state.iterations[blockIdx.y] = 0;
}

/// q += weight p, and the partial sums of p q.
__global__ void curvature_kernel(Vectors v, Weight weight, State state) {
  const uint64_t first = blockIdx.y * v.length;
  const float lambda = weight.get();
  double sum = 0;
  for (uint64_t i = global_index(); i < v.length; i += global_threads()) {
    const float p = v.p[first + i], q = v.q[first + i] + lambda * p;
    v.q[first + i] = q;
    sum += static_cast<double>(p) * q;
  }
  leave_partial(state.partials[0], sum);
}

/// Whether a problem still moves. A curvature that rounding took to 0 stays there, so that such a problem rests too; NaN goes on.
__device__ inline bool moves(double energy, double reference, double tolerance, double curvature) {
  return !(energy <= tolerance * tolerance * reference) && !(curvature <= 0);
}

/// x += alpha p, r -= alpha q, and the partial sums of ||r||^2.
__global__ void step_kernel(Vectors v, double tolerance, State state, int turn) {
  const uint32_t problem = blockIdx.y;
  const uint64_t first = problem * v.length;
  const double curvature = total_of(state.partials[0], problem, gridDim.x), energy = state.energy[turn][problem];
  const auto alpha = static_cast<float>(energy / curvature);
  double sum = 0;
  if (moves(energy, state.reference[problem], tolerance, curvature))
    for (uint64_t i = global_index(); i < v.length; i += global_threads()) {
      v.x[first + i] += alpha * v.p[first + i];
      const float r = v.r[first + i] - alpha * v.q[first + i];
      v.r[first + i] = r;
      sum += static_cast<double>(r) * r;
    }
  leave_partial(state.partials[1], sum);
}

/// p = r + beta p, and the numbers of the next iteration.
__global__ void direction_kernel(Vectors v, double tolerance, State state, int turn) {
  const uint32_t problem = blockIdx.y;
  const uint64_t first = problem * v.length;
  const double curvature = total_of(state.partials[0], problem, gridDim.x), next = total_of(state.partials[1], problem, gridDim.x);
  const double energy = state.energy[turn][problem];
  const bool moved = moves(energy, state.reference[problem], tolerance, curvature);
  if (moved) {
    const auto beta = static_cast<float>(next / energy);
    for (uint64_t i = global_index(); i < v.length; i += global_threads()) v.p[first + i] = v.r[first + i] + beta * v.p[first + i];
  }
  if (blockIdx.x == 0 && threadIdx.x == 0) {
    state.energy[1 - turn][problem] = moved ? next : energy;
    if (moved) ++state.iterations[problem];
  }
}

/// Energies and references on the host.
struct Look {
  std::vector<double> energy, reference;
  bool all_converged(double tolerance) const {
    for (size_t i = 0; i < energy.size(); ++i)
      if (!(energy[i] <= tolerance * tolerance * reference[i])) return false;
    return true;
  }
};

Look look(const Context& context, const State& state, int turn, uint32_t batch) {
  Look result{std::vector<double>(batch), std::vector<double>(batch)};
  context.download(result.energy.data(), state.energy[turn], batch * sizeof(double));
  context.download(result.reference.data(), state.reference, batch * sizeof(double));
  return result;
}

void solve(const Encoder& encoder, const LarmorCudaSolve& options, const float* b, float* x, uint32_t* iterations, float* residuals) {
  Context& context = encoder.context();
  const uint32_t batch = encoder.sizes().batch;
  const uint64_t length = encoder.image_floats();
  const Scratch<float> vectors(context.memory(), 3 * length * batch);
  const Scratch<double> numbers(context.memory(), (3 + 2 * static_cast<uint64_t>(kSumBlocks)) * batch);
  const Scratch<uint32_t> counts(context.memory(), batch);
  double* const n = numbers.data();
  const Vectors v{length, b, x, vectors.data(), vectors.data() + length * batch, vectors.data() + 2 * length * batch};
  const State state{{n, n + batch}, n + 2 * batch, {n + 3 * batch, n + (3 + kSumBlocks) * static_cast<uint64_t>(batch)}, counts.data()};
  const Weight weight{options.regularisation, options.device_weight};
  const dim3 grid(blocks_for(length, kBlock, kSumBlocks), batch), block(kBlock);
  const double tolerance = options.tolerance;
  const cudaStream_t stream = context.stream();

  const bool from_zero = options.from_zero != 0;
  if (!from_zero) normal(encoder, x, v.q);
  launch("start", start_kernel, grid, block, 0, stream, v, weight, from_zero, state);
  launch("start_state", start_state_kernel, dim3(1, batch), block, 0, stream, state, grid.x);
  int turn = 0;
  for (uint32_t i = 0; i < options.iterations; ++i, turn = 1 - turn) {
    if (tolerance > 0 && i % kItersPerLook == 0 && look(context, state, turn, batch).all_converged(tolerance)) break;
    normal(encoder, v.p, v.q);
    launch("curvature", curvature_kernel, grid, block, 0, stream, v, weight, state);
    launch("step", step_kernel, grid, block, 0, stream, v, tolerance, state, turn);
    launch("direction", direction_kernel, grid, block, 0, stream, v, tolerance, state, turn);
  }
  if (iterations != nullptr) context.download(iterations, counts.data(), batch * sizeof(uint32_t));
  if (residuals == nullptr) return;
  const Look end = look(context, state, turn, batch);
  for (uint32_t i = 0; i < batch; ++i) {
    residuals[i] = end.reference[i] > 0 ? static_cast<float>(std::sqrt(end.energy[i] / end.reference[i])) : end.reference[i] == 0 ? 0.0f : NAN;
    if (!std::isfinite(residuals[i])) throw Failure(LARMOR_CUDA_FAILED, text("problem ", i, " left the finite numbers; scale the data or raise the regularisation"));
  }
}

}  // namespace

LarmorCudaStatus solve_normal(LarmorCudaContext* context, const LarmorCudaEncoding* encoding, const LarmorCudaSolve* options, const float* device_b,
                              float* device_x, uint32_t* iterations, float* residuals) {
  return on_context("solve_normal", context, [&](Context& c) {
    const Encoder encoder(c, encoding, Encoder::kMaps | Encoder::kMask);
    require(options != nullptr, "solve must not be null");
    require(options->device_weight != nullptr || (options->regularisation >= 0 && std::isfinite(options->regularisation)),
            "regularisation must be 0 or more, got ", options->regularisation);
    require(options->tolerance >= 0 && std::isfinite(options->tolerance), "tolerance must be 0 or more, got ", options->tolerance);
    require(encoder.sizes().batch <= kGridLimit, "batch must be at most ", kGridLimit, ", got ", encoder.sizes().batch);
    if (encoder.empty()) return;
    require(device_b != nullptr && device_x != nullptr && device_b != device_x, "device_b and device_x must be two arrays");
    solve(encoder, *options, device_b, device_x, iterations, residuals);
  });
}

}  // namespace larmor::cuda
