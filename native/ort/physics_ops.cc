// Custom operators of the measurement: the encoding operator, its Fourier transform and the data losses, one image of the batch after the other.
#include <string>

#include "core/coded_error.h"
#include "core/data_loss.h"
#include "core/fft.h"
#include "core/maps_gradient.h"
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
  return {CustomOp<Encode>::instance(),       CustomOp<EncodeAdjoint>::instance(), CustomOp<EncodeNormal>::instance(),
          CustomOp<EncodeMapsGradient>::instance(), CustomOp<Fft2>::instance(),          CustomOp<DataLoss>::instance()};
}

}  // namespace larmor::ort
