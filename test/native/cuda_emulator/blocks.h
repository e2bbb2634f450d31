// Runs the threads of a kernel on the processor.
#pragma once
#include <cstddef>
#include <functional>

#include "cuda_runtime.h"

namespace emulator {

/// Blocks one after the other; the threads of a block as fibers. Ends the program where threads wait for one another for ever, or where some
/// have left a kernel whose others still wait.
void run_grid(dim3 grid, dim3 block, size_t shared, bool reversed, const std::function<void()>& thread);

}  // namespace emulator
