// Batches of images among the tensors of a graph.
#pragma once
#include "ort/compute.h"
#include "ort/custom_op.h"
#include "ort/shapes.h"

namespace larmor::ort {

/// Throws CodedError ERR_SHAPE unless `got` has the axes of images.
inline void expect_image(const char* op, const char* name, const Shape& got) { expect_rank(op, name, "[n,channel,y,x]", got); }

inline ImageBatch batch_of(const Input<float>& x) { return {x.dim(0), x.dim(2), x.dim(3)}; }

}  // namespace larmor::ort
