// Custom operators of the networks: convolutions and their gradients.
#include <string>

#include "core/coded_error.h"
#include "ort/compute.h"
#include "ort/custom_op.h"
#include "ort/custom_ops.h"
#include "ort/images.h"
#include "ort/shapes.h"

namespace larmor::ort {
namespace {

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

}  // namespace

std::vector<Operator> convolution_ops(const Target& target) {
  return operators<Conv3x3, Conv3x3WeightGradient, Conv1x1WeightGradient, ConvTranspose2x2, ConvTranspose2x2InputGradient, ConvTranspose2x2WeightGradient>(target);
}

}  // namespace larmor::ort
