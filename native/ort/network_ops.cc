// Custom operators of the networks: fused normalisation with activation, convolutions, pooling and their gradients; and the order of computation.
#include <string>

#include "core/coded_error.h"
#include "ort/compute.h"
#include "ort/custom_op.h"
#include "ort/custom_ops.h"
#include "ort/shapes.h"

namespace larmor::ort {
namespace {

void expect_image(const char* op, const char* name, const Shape& got) { expect_rank(op, name, "[n,channel,y,x]", got); }

ImageBatch batch_of(const Input<float>& x) { return {x.dim(0), x.dim(2), x.dim(3)}; }

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

/// The channels of an image, followed by those of an optional second one.
Channels<const float> channels_of(const char* op, const Input<float>& image, const Input<float>& beside) {
  if (!beside) return {image.dim(1), image.data};
  expect_image(op, "beside", beside.shape);
  expect_shape(op, "beside", {image.shape[0], beside.shape[1], image.shape[2], image.shape[3]}, beside.shape);
  return {image.dim(1) + beside.dim(1), image.data, beside.data, image.dim(1)};
}

class Conv3x3 {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32, kOptionalFloat32}, {kFloat32, kOptionalFloat32}}; }
  explicit Conv3x3(const Attributes& attributes)
      : transposed_(attributes.integer("transposed", 0) != 0), split_(attributes.integer("split", 0)) {}
  void compute(Context& context) const {
    const auto x = context.input<float>(0), weights = context.input<float>(1), beside = context.input<float>(2);
    expect_image(kName, "x", x.shape);
    expect_image(kName, "weights", weights.shape);
    const Channels<const float> input = channels_of(kName, x, beside);
    const auto in = static_cast<int64_t>(input.count), out = weights.shape[transposed_ ? 1 : 0], split = split_ == 0 ? out : split_;
    if (transposed_) expect_shape(kName, "weights", {in, out, 3, 3}, weights.shape);
    else expect_shape(kName, "weights", {out, in, 3, 3}, weights.shape);
    if (split < 0 || split > out) throw CodedError("ERR_GRAPH", "Conv3x3: split must leave channels, got " + std::to_string(split));
    float* const y = context.output<float>(0, {x.shape[0], split, x.shape[2], x.shape[3]});
    float* const rest = split < out ? context.output<float>(1, {x.shape[0], out - split, x.shape[2], x.shape[3]}) : nullptr;
    context.compute().conv3x3(batch_of(x), input, weights.data, transposed_, {static_cast<size_t>(out), y, rest, static_cast<size_t>(split)});
  }

 private:
  static constexpr const char* kName = "Conv3x3";
  bool transposed_;
  int64_t split_;
};

class Conv3x3WeightGradient {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32, kOptionalFloat32}, {kFloat32}}; }
  explicit Conv3x3WeightGradient(const Attributes&) {}
  void compute(Context& context) const {
    const auto x = context.input<float>(0), dy = context.input<float>(1), beside = context.input<float>(2);
    expect_image(kName, "x", x.shape);
    expect_image(kName, "dy", dy.shape);
    expect_shape(kName, "dy", {x.shape[0], dy.shape[1], x.shape[2], x.shape[3]}, dy.shape);
    const Channels<const float> input = channels_of(kName, x, beside);
    float* const dw = context.output<float>(0, {dy.shape[1], static_cast<int64_t>(input.count), 3, 3});
    context.compute().conv3x3_weight_gradient(batch_of(x), input, dy.dim(1), dy.data, dw);
  }

 private:
  static constexpr const char* kName = "Conv3x3WeightGradient";
};

class Conv1x1WeightGradient {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32}, {kFloat32, kOptionalFloat32}}; }
  explicit Conv1x1WeightGradient(const Attributes&) {}
  void compute(Context& context) const {
    const auto x = context.input<float>(0), dy = context.input<float>(1);
    expect_image(kName, "x", x.shape);
    expect_image(kName, "dy", dy.shape);
    expect_shape(kName, "dy", {x.shape[0], dy.shape[1], x.shape[2], x.shape[3]}, dy.shape);
    float* const dw = context.output<float>(0, {dy.shape[1], x.shape[1], 1, 1});
    float* const dbias = context.output<float>(1, {dy.shape[1]});
    context.compute().conv1x1_weight_gradient(batch_of(x), x.dim(1), dy.dim(1), x.data, dy.data, dw, dbias);
  }

 private:
  static constexpr const char* kName = "Conv1x1WeightGradient";
};

/// The three share their sizes: x [n,ci,y,x], weights [ci,co,2,2], y [n,co,2y,2x].
class ConvTranspose2x2 {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32}, {kFloat32}}; }
  explicit ConvTranspose2x2(const Attributes&) {}
  void compute(Context& context) const {
    const auto x = context.input<float>(0), weights = context.input<float>(1);
    expect_image(kName, "x", x.shape);
    expect_image(kName, "weights", weights.shape);
    expect_shape(kName, "weights", {x.shape[1], weights.shape[1], 2, 2}, weights.shape);
    float* const y = context.output<float>(0, {x.shape[0], weights.shape[1], 2 * x.shape[2], 2 * x.shape[3]});
    context.compute().conv_transpose2x2(batch_of(x), x.dim(1), weights.dim(1), x.data, weights.data, y);
  }

 private:
  static constexpr const char* kName = "ConvTranspose2x2";
};

class ConvTranspose2x2InputGradient {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32}, {kFloat32}}; }
  explicit ConvTranspose2x2InputGradient(const Attributes&) {}
  void compute(Context& context) const {
    const auto dy = context.input<float>(0), weights = context.input<float>(1);
    expect_image(kName, "dy", dy.shape);
    expect_image(kName, "weights", weights.shape);
    expect_shape(kName, "weights", {weights.shape[0], dy.shape[1], 2, 2}, weights.shape);
    expect_shape(kName, "dy", {dy.shape[0], dy.shape[1], dy.shape[2] / 2 * 2, dy.shape[3] / 2 * 2}, dy.shape);
    float* const dx = context.output<float>(0, {dy.shape[0], weights.shape[0], dy.shape[2] / 2, dy.shape[3] / 2});
    context.compute().conv_transpose2x2_input_gradient({dy.dim(0), dy.dim(2) / 2, dy.dim(3) / 2}, weights.dim(0), dy.dim(1), dy.data, weights.data, dx);
  }

 private:
  static constexpr const char* kName = "ConvTranspose2x2InputGradient";
};

class ConvTranspose2x2WeightGradient {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32}, {kFloat32}}; }
  explicit ConvTranspose2x2WeightGradient(const Attributes&) {}
  void compute(Context& context) const {
    const auto x = context.input<float>(0), dy = context.input<float>(1);
    expect_image(kName, "x", x.shape);
    expect_image(kName, "dy", dy.shape);
    expect_shape(kName, "dy", {x.shape[0], dy.shape[1], 2 * x.shape[2], 2 * x.shape[3]}, dy.shape);
    float* const dw = context.output<float>(0, {x.shape[1], dy.shape[1], 2, 2});
    context.compute().conv_transpose2x2_weight_gradient(batch_of(x), x.dim(1), dy.dim(1), x.data, dy.data, dw);
  }

 private:
  static constexpr const char* kName = "ConvTranspose2x2WeightGradient";
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
  return operators<InstanceNormLeakyRelu, InstanceNormLeakyReluGradient, InstanceNormLeakyReluOutputGradient, Conv3x3, Conv3x3WeightGradient,
                   Conv1x1WeightGradient, ConvTranspose2x2, ConvTranspose2x2InputGradient, ConvTranspose2x2WeightGradient,
                   AveragePool2x2Gradient, After>(target);
}

}  // namespace larmor::ort
