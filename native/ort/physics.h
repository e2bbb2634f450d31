// What the custom operators of the measurement share: maps and masks of a batch, checked, and their encoding operators.
#pragma once
#include <string>

#include "core/coded_error.h"
#include "ort/compute.h"
#include "ort/custom_op.h"
#include "ort/shapes.h"

namespace larmor::ort {

/// Maps [n, coil, y, x, 2], or k-space of that shape, and the shapes that follow from it.
struct Physics {
  const char* op;
  Input<float> maps;
  Shape image, kspace;
  size_t batch, coils, ny, nx;

  Physics(const char* name, const Context& context, size_t index, const char* argument = "maps") : op(name), maps(context.input<float>(index)) {
    expect_rank(op, argument, "[n,coil,y,x,2]", maps.shape);
    const Shape& s = maps.shape;
    expect_shape(op, argument, {s[0], s[1], s[2], s[3], 2}, s);
    if (s[2] < 1 || s[3] < 1)
      throw CodedError("ERR_SHAPE", std::string(op) + ": " + argument + " must have no empty image axis, got " + text(s));
    image = {s[0], 2, s[2], s[3]};
    kspace = s;
    batch = maps.dim(0), coils = maps.dim(1), ny = maps.dim(2), nx = maps.dim(3);
  }

  Input<float> input(const Context& context, size_t index, const char* name, const Shape& shape) const {
    auto result = context.input<float>(index);
    expect_shape(op, name, shape, result.shape);
    return result;
  }

  /// A mask [n, 1, x] or [n, y, x]. With one row of k-space both are the same.
  Input<float> mask(const Context& context, size_t index, const char* name) const {
    auto result = context.input<float>(index);
    expect_rank(op, name, "[n,y,x]", result.shape);
    const int64_t rows = result.shape[1] == 1 ? 1 : image[2];
    expect_shape(op, name, {image[0], rows, image[3]}, result.shape);
    return result;
  }

  /// The encoding operators with a mask, checked by mask().
  EncodingBatch encoding(const Input<float>& mask) const { return {batch, coils, ny, nx, mask.shape[1] == 1, maps.data, mask.data}; }
};

}  // namespace larmor::ort
