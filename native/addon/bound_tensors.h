// Tensors that JavaScript gives a session to read or write.
#pragma once
#include <napi.h>

#include <memory>
#include <vector>

#include "addon/tensors.h"
#include "gpu/cuda_context.h"
#include "ort/session.h"

namespace larmor::addon {

/// `place` is a typed array, a handle of a tensor on the session's device, or [memory, offset in floats] of a CUDA device, which `held` then keeps.
/// Throws a JavaScript error, coded, unless it is what the graph declares.
ort::BoundTensor bound_tensor(Napi::Env env, const SessionHandle& session, const ort::TensorInfo& declared, const Napi::Value& place, const Napi::Value& shape,
                              std::vector<std::shared_ptr<gpu::DeviceMemory>>& held);

}  // namespace larmor::addon
