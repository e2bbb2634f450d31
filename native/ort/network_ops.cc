// Custom operators of the networks: fused normalisation with activation, pooling and their gradients; and the order of computation.
#include "ort/compute.h"
#include "ort/custom_op.h"
#include "ort/custom_ops.h"
#include "ort/images.h"
#include "ort/shapes.h"

namespace larmor::ort {
namespace {

/// Sizes and parameters of a normalisation whose optional inputs scale and bias stand at `index` and `index` + 1.
InstanceNorm norm_of(const char* op, const Context& context, const Input<float>& x, size_t index, float slope) {
  expect_image(op, "x", x.shape);
  const auto scale = context.input<float>(index), bias = context.input<float>(index + 1);
  if (scale) expect_shape(op, "scale", {x.shape[1]}, scale.shape);
  if (bias) expect_shape(op, "bias", {x.shape[1]}, bias.shape);
  return {.n = x.dim(0), .channels = x.dim(1), .pixels = x.dim(2) * x.dim(3), .scale = scale.data, .bias = bias.data, .slope = slope};
}

class InstanceNormLeakyRelu {
 public:
  static Signature signature() {
    return {.name = kName,
            .inputs = {kFloat32, kOptionalFloat32, kOptionalFloat32},
            .outputs = {kFloat32, kFloat32, kFloat32},
            .in_place = {{0, 0}}};
  }
  explicit InstanceNormLeakyRelu(const Attributes& attributes)
      : epsilon_(attributes.number("epsilon", 1e-5f)), slope_(attributes.number("slope", 0.2f)) {}
  void compute(Context& context) const {
    const auto x = context.input<float>(0);
    const InstanceNorm norm = norm_of(kName, context, x, 1, slope_);
    const std::vector<int64_t> per_plane{x.shape[0], x.shape[1]};
    float* const y = context.output<float>(0, x.shape);
    float* const mean = context.output<float>(1, per_plane);
    float* const inverse_deviation = context.output<float>(2, per_plane);
    context.compute().instance_norm(norm, epsilon_, x.data, y, mean, inverse_deviation);
  }

 private:
  static constexpr const char* kName = "InstanceNormLeakyRelu";
  float epsilon_, slope_;
};

class InstanceNormLeakyReluGradient {
 public:
  static Signature signature() {
    return {.name = kName,
            .inputs = {kFloat32, kFloat32, kFloat32, kFloat32, kOptionalFloat32, kOptionalFloat32},
            .outputs = {kFloat32, kOptionalFloat32, kOptionalFloat32},
            .in_place = {{0, 0}}};
  }
  explicit InstanceNormLeakyReluGradient(const Attributes& attributes) : slope_(attributes.number("slope", 0.2f)) {}
  void compute(Context& context) const {
    const auto dy = context.input<float>(0), x = context.input<float>(1), mean = context.input<float>(2), inverse_deviation = context.input<float>(3);
    const InstanceNorm norm = norm_of(kName, context, x, 4, slope_);
    expect_shape(kName, "dy", x.shape, dy.shape);
    expect_shape(kName, "mean", {x.shape[0], x.shape[1]}, mean.shape);
    expect_shape(kName, "inverseDeviation", {x.shape[0], x.shape[1]}, inverse_deviation.shape);
    float* const dx = context.output<float>(0, x.shape);
    float* const dscale = context.output<float>(1, {x.shape[1]});
    float* const dbias = context.output<float>(2, {x.shape[1]});
    context.compute().instance_norm_gradient(norm, dy.data, x.data, mean.data, inverse_deviation.data, dx, dscale, dbias);
  }

 private:
  static constexpr const char* kName = "InstanceNormLeakyReluGradient";
  float slope_;
};

class InstanceNormLeakyReluOutputGradient {
 public:
  static Signature signature() { return {.name = kName, .inputs = {kFloat32, kFloat32, kFloat32}, .outputs = {kFloat32}, .in_place = {{0, 0}}}; }
  explicit InstanceNormLeakyReluOutputGradient(const Attributes& attributes) : slope_(attributes.number("slope", 0.2f)) {}
  void compute(Context& context) const {
    const auto dy = context.input<float>(0), y = context.input<float>(1), inverse_deviation = context.input<float>(2);
    expect_image(kName, "y", y.shape);
    expect_shape(kName, "dy", y.shape, dy.shape);
    expect_shape(kName, "inverseDeviation", {y.shape[0], y.shape[1]}, inverse_deviation.shape);
    const InstanceNorm norm{
        .n = y.dim(0), .channels = y.dim(1), .pixels = y.dim(2) * y.dim(3), .scale = nullptr, .bias = nullptr, .slope = slope_};
    context.compute().instance_norm_output_gradient(norm, dy.data, y.data, inverse_deviation.data, context.output<float>(0, y.shape));
  }

 private:
  static constexpr const char* kName = "InstanceNormLeakyReluOutputGradient";
  float slope_;
};

class AveragePool2x2Gradient {
 public:
  static Signature signature() { return {kName, {kFloat32}, {kFloat32}}; }
  explicit AveragePool2x2Gradient(const Attributes& attributes) : height_(attributes.integer("height", 0)), width_(attributes.integer("width", 0)) {}
  void compute(Context& context) const {
    const auto dy = context.input<float>(0);
    expect_image(kName, "dy", dy.shape);
    expect_shape(kName, "dy", {dy.shape[0], dy.shape[1], height_ / 2, width_ / 2}, dy.shape);
    float* const dx = context.output<float>(0, {dy.shape[0], dy.shape[1], height_, width_});
    context.compute().average_pool2x2_gradient(dy.dim(0) * dy.dim(1), static_cast<size_t>(height_), static_cast<size_t>(width_), dy.data, dx);
  }

 private:
  static constexpr const char* kName = "AveragePool2x2Gradient";
  int64_t height_, width_;
};

/// x, which waits for the second input: ONNX Runtime computes what a node reads before the node, and knows no other order.
class After {
 public:
  static Signature signature() { return {.name = "After", .inputs = {kFloat32, kFloat32}, .outputs = {kFloat32}, .in_place = {{0, 0}}}; }
  explicit After(const Attributes&) {}
  void compute(Context& context) const {
    const auto x = context.input<float>(0);
    float* const y = context.output<float>(0, x.shape);
    if (y != x.data) context.compute().copy(x.size(), x.data, y);
  }
};

}  // namespace

std::vector<Operator> network_ops(const Target& target) {
  return operators<InstanceNormLeakyRelu, InstanceNormLeakyReluGradient, InstanceNormLeakyReluOutputGradient, AveragePool2x2Gradient, After>(target);
}

}  // namespace larmor::ort
