// Custom operators of the measurement: encoding and data losses.
#include "ort/custom_ops.h"

namespace larmor::ort {

std::vector<const OrtCustomOp*> physics_ops() { return {}; }

}  // namespace larmor::ort
