// Custom operators of the measurement: the encoding operator, steps towards samples, its Fourier transform and the data losses, one image of the batch after the other.
#include <string>

#include "core/coded_error.h"
#include "core/data_loss.h"
#include "core/fft.h"
#include "core/maps_gradient.h"
#include "core/sample_step.h"
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
    auto* const kspace = reinterpret_cast<c32*>(context.output<float>(0, physics.kspace));
    for (size_t b = 0; b < physics.batch; ++b)
      physics.encoding(b, mask).forward(context.parallel(), {image.data + 2 * b * physics.ny * physics.nx, true}, kspace + b * physics.samples());
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
    float* const image = context.output<float>(0, physics.image);
    for (size_t b = 0; b < physics.batch; ++b)
      physics.encoding(b, mask).adjoint(context.parallel(), reinterpret_cast<const c32*>(kspace.data) + b * physics.samples(),
                                        {image + 2 * b * physics.ny * physics.nx, true});
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
    float* const result = context.output<float>(0, physics.image);
    for (size_t b = 0; b < physics.batch; ++b) {
      const size_t start = 2 * b * physics.ny * physics.nx;
      physics.encoding(b, mask).normal(context.parallel(), {image.data + start, true}, {result + start, true});
    }
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
    auto* const result = reinterpret_cast<c32*>(context.output<float>(0, physics.kspace));
    for (size_t b = 0; b < physics.batch; ++b)
      maps_gradient(context.parallel(), {.coils = physics.coils, .ny = physics.ny, .nx = physics.nx},
                    image.data + 2 * b * physics.ny * physics.nx, physics.maps_of(b), physics.weights(b, mask),
                    result + b * physics.samples());
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
    float* const result = context.output<float>(0, physics.kspace);
    for (size_t b = 0; b < physics.batch; ++b) {
      const size_t begin = 2 * b * physics.samples();
      sample_step(context.parallel(), {.coils = physics.coils, .ny = physics.ny, .nx = physics.nx}, physics.maps.data + begin, physics.weights(b, mask),
                  step.data[0], measured ? measured + begin : nullptr, change ? change + begin : nullptr, result + begin);
    }
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
    double total = 0;
    for (size_t b = 0; b < physics.batch; ++b) {
      const size_t begin = 2 * b * physics.samples();
      total += sample_step_gradient(context.parallel(), {.coils = physics.coils, .ny = physics.ny, .nx = physics.nx}, dy.data + begin,
                                    physics.maps.data + begin, physics.weights(b, mask), measured ? measured + begin : nullptr);
    }
    *context.output<float>(0, {1}) = static_cast<float>(total);
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
    fft2(context.parallel(), inverse_, physics.batch * physics.coils, physics.ny, physics.nx, physics.maps_of(0),
         reinterpret_cast<c32*>(context.output<float>(0, physics.kspace)));
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
    const Measurements measured{.batch = physics.batch,
                                .coils = physics.coils,
                                .ny = physics.ny,
                                .nx = physics.nx,
                                .maps = physics.maps_of(0),
                                .kspace = reinterpret_cast<const c32*>(kspace.data),
                                .mask = mask.data,
                                .held_out = held_out.data,
                                .lines = mask.shape[1] == 1};
    const DataLossValue value = data_loss(context.parallel(), norm_, measured, image.data, gradient);
    *loss = value.loss;
    *held_out_loss = value.held_out_loss;
  }

 private:
  static constexpr const char* kName = "DataLoss";
  LossNorm norm_;
};

}  // namespace

std::vector<const OrtCustomOp*> physics_ops() {
  return {CustomOp<Encode>::instance(),     CustomOp<EncodeAdjoint>::instance(),      CustomOp<EncodeNormal>::instance(), CustomOp<EncodeMapsGradient>::instance(),
          CustomOp<SampleStep>::instance(), CustomOp<SampleStepGradient>::instance(), CustomOp<Fft2>::instance(),         CustomOp<DataLoss>::instance()};
}

}  // namespace larmor::ort
