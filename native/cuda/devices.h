// The devices of the machine.
#pragma once

namespace larmor::cuda {

/// How many there are. Throws LARMOR_CUDA_UNAVAILABLE where there is none, or no driver that can use them.
int count_devices();

}  // namespace larmor::cuda
