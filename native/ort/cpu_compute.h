// The custom operators on the CPU, by native/core on the threads of a session.
#pragma once
#include "core/parallel.h"
#include "ort/compute.h"

namespace larmor::ort {

/// data_loss throws CodedError ERR_ARGUMENT when kspace is zero wherever the mask is not, solve_normal ERR_DIVERGED when the weight is not positive
/// and finite.
class CpuCompute final : public Compute {
 public:
  /// `parallel` must outlive it.
  explicit CpuCompute(const Parallel& parallel) : parallel_(parallel) {}

#define LARMOR_COMPUTE_OVERRIDE(name, parameters) void name parameters const override;
  LARMOR_COMPUTE_FUNCTIONS(LARMOR_COMPUTE_OVERRIDE)
#undef LARMOR_COMPUTE_OVERRIDE

 private:
  const Parallel& parallel_;
};

}  // namespace larmor::ort
