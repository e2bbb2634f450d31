// The operators of the domain `larmor`.
#pragma once
#include <vector>

#include "ort/api.h"
#include "ort/custom_op.h"

namespace larmor::ort {

/// Encoding operator, data losses and data consistency.
std::vector<Operator> physics_ops(const Target& target);
/// Convolutions and their gradients.
std::vector<Operator> convolution_ops(const Target& target);
/// Fused normalisation with activation, pooling and their gradients.
std::vector<Operator> network_ops(const Target& target);

/// All operators for one target, in a domain of the library. It must outlive the sessions that know it.
class OperatorSet {
 public:
  explicit OperatorSet(Target target);
  OperatorSet(const OperatorSet&) = delete;
  OperatorSet& operator=(const OperatorSet&) = delete;

  /// Makes the operators known to sessions created with `options`.
  void add_to(OrtSessionOptions* options) const;

  /// Those that compute on the CPU.
  static const OperatorSet& cpu();

 private:
  Target target_;
  std::vector<Operator> operators_;
  Owned<&Api::ReleaseCustomOpDomain, OrtCustomOpDomain> domain_;
};

}  // namespace larmor::ort
