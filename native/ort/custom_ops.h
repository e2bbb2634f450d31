// The operators of the domain `larmor`.
#pragma once
#include <vector>

#include "ort/api.h"

namespace larmor::ort {

/// Encoding operator and data losses.
std::vector<const OrtCustomOp*> physics_ops();
/// Data consistency.
std::vector<const OrtCustomOp*> solver_ops();
/// Fused normalisation with activation, 3x3 convolution and their gradients.
std::vector<const OrtCustomOp*> network_ops();

/// Makes the operators known to sessions created with `options`.
void add_custom_ops(OrtSessionOptions* options);

}  // namespace larmor::ort
