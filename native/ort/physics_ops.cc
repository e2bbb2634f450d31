// Custom operators of the measurement: the encoding operator, steps towards samples, its Fourier transform, the data losses and data consistency.
#include <string>

#include "core/coded_error.h"
#include "core/data_loss.h"
#include "ort/custom_op.h"
#include "ort/custom_ops.h"
#include "ort/physics.h"

namespace larmor::ort {
namespace {

class Encode {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32, kFloat32}, {kFloat32}}; }
  explicit Encode(const Attributes&) {}
  void compute(Context& context) const {
    const Physics physics(kName, context, 1);
    const auto image = physics.input(context, 0, "image", physics.image), mask = physics.mask(context, 2, "mask");
    context.compute().encode(physics.encoding(mask), image.data, context.output<float>(0, physics.kspace));
  }

 private:
  static constexpr const char* kName = "Encode";
};

class EncodeAdjoint {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32, kFloat32}, {kFloat32}}; }
  explicit EncodeAdjoint(const Attributes&) {}
  void compute(Context& context) const {
    const Physics physics(kName, context, 1);
    const auto kspace = physics.input(context, 0, "kspace", physics.kspace), mask = physics.mask(context, 2, "mask");
    context.compute().encode_adjoint(physics.encoding(mask), kspace.data, context.output<float>(0, physics.image));
  }

 private:
  static constexpr const char* kName = "EncodeAdjoint";
};

class EncodeNormal {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32, kFloat32}, {kFloat32}}; }
  explicit EncodeNormal(const Attributes&) {}
  void compute(Context& context) const {
    const Physics physics(kName, context, 1);
    const auto image = physics.input(context, 0, "image", physics.image), mask = physics.mask(context, 2, "mask");
    context.compute().encode_normal(physics.encoding(mask), image.data, context.output<float>(0, physics.image));
  }

 private:
  static constexpr const char* kName = "EncodeNormal";
};

class EncodeMapsGradient {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32, kFloat32}, {kFloat32}}; }
  explicit EncodeMapsGradient(const Attributes&) {}
  void compute(Context& context) const {
    const Physics physics(kName, context, 1, "kspace");
    const auto image = physics.input(context, 0, "image", physics.image), mask = physics.mask(context, 2, "mask");
    context.compute().encode_maps_gradient(physics.encoding(mask), image.data, physics.maps.data, context.output<float>(0, physics.kspace));
  }

 private:
  static constexpr const char* kName = "EncodeMapsGradient";
};

/// The k-space that a step starts from, and its optional input `index`; null where it is absent.
const float* like_kspace(const Physics& physics, const Context& context, size_t index, const char* name) {
  const auto value = context.input<float>(index);
  if (value) expect_shape(physics.op, name, physics.kspace, value.shape);
  return value.data;
}

class SampleStep {
 public:
  static Signature signature() {
    return {.name = kName,
            .inputs = {kFloat32, kFloat32, kFloat32, kOptionalFloat32, kOptionalFloat32},
            .outputs = {kFloat32},
            .in_place = {{4, 0}, {0, 0}}};
  }
  explicit SampleStep(const Attributes&) {}
  void compute(Context& context) const {
    const Physics physics(kName, context, 0, "kspace");
    const auto mask = physics.mask(context, 1, "mask"), step = physics.input(context, 2, "step", {1});
    const float* const measured = like_kspace(physics, context, 3, "measured");
    const float* const change = like_kspace(physics, context, 4, "change");
    context.compute().sample_step(physics.encoding(mask), physics.maps.data, step.data, measured, change,
                                  context.output<float>(0, physics.kspace));
  }

 private:
  static constexpr const char* kName = "SampleStep";
};

class SampleStepGradient {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32, kFloat32, kOptionalFloat32}, {kFloat32}}; }
  explicit SampleStepGradient(const Attributes&) {}
  void compute(Context& context) const {
    const Physics physics(kName, context, 1, "kspace");
    const auto dy = physics.input(context, 0, "dy", physics.kspace), mask = physics.mask(context, 2, "mask");
    const float* const measured = like_kspace(physics, context, 3, "measured");
    context.compute().sample_step_gradient(physics.encoding(mask), dy.data, physics.maps.data, measured, context.output<float>(0, {1}));
  }

 private:
  static constexpr const char* kName = "SampleStepGradient";
};

class Fft2 {
 public:
  static Signature signature() { return {kName, {kFloat32}, {kFloat32}}; }
  explicit Fft2(const Attributes& attributes) : inverse_(attributes.integer("inverse", 0) != 0) {}
  void compute(Context& context) const {
    const Physics physics(kName, context, 0, "x");
    context.compute().fft2(inverse_, physics.batch * physics.coils, physics.ny, physics.nx, physics.maps.data,
                           context.output<float>(0, physics.kspace));
  }

 private:
  static constexpr const char* kName = "Fft2";
  bool inverse_;
};

class DataLoss {
 public:
  static Signature signature() {
    return {kName, {kFloat32, kFloat32, kFloat32, kFloat32, kFloat32}, {kFloat32, kFloat32, kFloat32}};
  }
  explicit DataLoss(const Attributes& attributes) {
    const std::string norm = attributes.text("norm", "l1");
    if (norm != "l1" && norm != "l2") throw CodedError("ERR_GRAPH", "DataLoss: norm must be l1 or l2, got " + norm);
    norm_ = norm == "l1" ? LossNorm::kL1 : LossNorm::kL2;
  }
  void compute(Context& context) const {
    const Physics physics(kName, context, 1);
    const auto image = physics.input(context, 0, "image", physics.image), kspace = physics.input(context, 4, "kspace", physics.kspace);
    const auto mask = physics.mask(context, 2, "mask"), held_out = physics.input(context, 3, "heldOutMask", mask.shape);
    float* const loss = context.output<float>(0, {1});
    float* const held_out_loss = context.output<float>(1, {1});
    float* const gradient = context.output<float>(2, physics.image);
    context.compute().data_loss(norm_, physics.encoding(mask), held_out.data, image.data, kspace.data, loss, held_out_loss, gradient);
  }

 private:
  static constexpr const char* kName = "DataLoss";
  LossNorm norm_;
};

class SolveNormal {
 public:
  static Signature signature() { return {kName, {kFloat32, kFloat32, kFloat32, kFloat32}, {kFloat32}}; }
  explicit SolveNormal(const Attributes& attributes) : iterations_(attributes.integer("iterations", 10)) {
    if (iterations_ < 1)
      throw CodedError("ERR_GRAPH", std::string(kName) + ": iterations must be 1 or more, got " + std::to_string(iterations_));
  }
  void compute(Context& context) const {
    const Physics physics(kName, context, 1);
    const auto b = physics.input(context, 0, "b", physics.image), mask = physics.mask(context, 2, "mask");
    const auto weight = physics.input(context, 3, "weight", {1});
    context.compute().solve_normal(physics.encoding(mask), static_cast<size_t>(iterations_), weight.data, b.data,
                                   context.output<float>(0, physics.image));
  }

 private:
  static constexpr const char* kName = "SolveNormal";
  int64_t iterations_;
};

}  // namespace

std::vector<Operator> physics_ops(const Target& target) {
  return operators<Encode, EncodeAdjoint, EncodeNormal, EncodeMapsGradient, SampleStep, SampleStepGradient, Fft2, DataLoss,
                   SolveNormal>(target);
}

}  // namespace larmor::ort
