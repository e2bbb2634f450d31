// The emulator itself: barriers, shuffles and shared memory do as on a device, and work waits for its stream.
#include <vector>

#include "cuda/device.h"
#include "on_device.h"

namespace {

using namespace larmor::cuda;
using namespace larmor::test;

// Reads its neighbour's value, which is there only if the barrier holds.
void rotate_kernel(int* values) {
  __shared__ int shared[96];
  shared[threadIdx.x] = values[global_index()];
  __syncthreads();
  values[global_index()] = shared[(threadIdx.x + 1) % blockDim.x];
}

void shuffle_kernel(int* down, int* exchanged) {
  const int value = static_cast<int>(10 * threadIdx.x);
  down[threadIdx.x] = __shfl_down_sync(0xffffffffu, value, 3);
  exchanged[threadIdx.x] = __shfl_xor_sync(0xffffffffu, value, 5);
}

void sum_kernel(double* sums) {
  double* const shared = dynamic_shared<double>();
  shared[threadIdx.x] = threadIdx.x + 1000.0 * threadIdx.y + 100000.0 * blockIdx.x;
  __syncthreads();
  const double first = block_sum(shared[threadIdx.x]), second = block_sum(2 * shared[threadIdx.x]);
  sums[blockIdx.x * blockDim.x + threadIdx.x] = first + second;
}

void run(dim3 grid, dim3 block, size_t shared, const std::function<void()>& thread) {
  cudaStream_t stream = nullptr;
  CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  CHECK(emulator::launch(grid, block, shared, stream, thread) == cudaSuccess);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}

void check_threads(bool reversed) {
  emulator::machine().reversed = reversed;
  std::vector<int> values(192);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int>(i);
  run(2, 96, 0, [&] { rotate_kernel(values.data()); });
  for (size_t i = 0; i < values.size(); ++i) CHECK(values[i] == static_cast<int>(i / 96 * 96 + (i + 1) % 96));

  std::vector<int> down(64), exchanged(64);
  run(1, 64, 0, [&] { shuffle_kernel(down.data(), exchanged.data()); });
  for (int i = 0; i < 64; ++i) {
    CHECK(down[static_cast<size_t>(i)] == 10 * (i % 32 < 29 ? i + 3 : i));
    CHECK(exchanged[static_cast<size_t>(i)] == 10 * (i ^ 5));
  }

  std::vector<double> sums(2 * 64);
  run(2, 64, 64 * sizeof(double), [&] { sum_kernel(sums.data()); });
  for (size_t i = 0; i < sums.size(); ++i) CHECK(sums[i] == 3 * (63 * 64 / 2 + 64 * 100000.0 * static_cast<double>(i / 64)));
  emulator::machine().reversed = false;
}

void check_streams() {
  cudaStream_t stream = nullptr;
  CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess);
  int ran = 0;
  CHECK(emulator::launch(3, 1, 0, stream, [&] { ++ran; }) == cudaSuccess);
  CHECK(ran == 0);
  CHECK(cudaStreamSynchronize(stream) == cudaSuccess);
  CHECK(ran == 3);
  CHECK(emulator::launch(1, 2048, 0, stream, [] {}) == cudaErrorInvalidConfiguration);
  CHECK(emulator::launch(0, 1, 0, stream, [] {}) == cudaErrorInvalidConfiguration);
  int on_host = 0;
  CHECK(cudaMemcpyAsync(&on_host, &on_host, sizeof on_host, cudaMemcpyHostToDevice, stream) == cudaErrorInvalidValue);
  CHECK(cudaStreamDestroy(stream) == cudaSuccess);
}

}  // namespace

int main() {
  check_threads(false);
  check_threads(true);
  check_streams();
  return finish();
}
