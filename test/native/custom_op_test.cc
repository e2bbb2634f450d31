// A custom operator runs inside ONNX Runtime: attributes, optional input and output, loops on session threads, errors.
#include "ort/custom_op.h"

#include <string>
#include <vector>

#include "check.h"
#include "onnx_bytes.h"
#include "ort/library.h"

using namespace larmor;
using namespace larmor::ort;
using namespace larmor::test;

// Read by the leak checker: loading a graph leaks 14 bytes inside the library, once per process.
extern "C" __attribute__((visibility("default"))) const char* __lsan_default_suppressions() { return "leak:libonnxruntime.so"; }

namespace {

/// The CPU, remembering which run it serves: operators of larmor leave loops to Compute, this one runs one itself.
thread_local const OrtKernelContext* running = nullptr;
const Target& test_target() {
  static const Target target{nullptr, [](const OrtKernelContext* context) {
                               running = context;
                               return cpu_target().compute(context);
                             }};
  return target;
}

/// y = gain * x + offset, one task per element; element 0 must not be negative.
class Affine {
 public:
  static Signature signature() { return {"Affine", {kFloat32, kOptionalFloat32}, {kFloat32, kOptionalFloat32}}; }
  explicit Affine(const Attributes& attributes)
      : gain_(attributes.number("gain", 1)), power_(attributes.integer("power", 1)), mode_(attributes.text("mode", "plain")) {}
  void compute(Context& context) const {
    const auto x = context.input<float>(0), offset = context.input<float>(1);
    float* const y = context.output<float>(0, x.shape);
    CHECK(context.output<float>(1, {1}) == nullptr);
    CHECK(x.rank() == 2 && x.dim(1) == 3);
    static_cast<const Parallel&>(SessionThreads(running))(x.size(), [&](size_t i) {
      if (x.data[0] < 0) throw CodedError("ERR_NOT_FINITE", "Affine: x is negative");
      y[i] = (mode_ == "negated" ? -1.0f : 1.0f) * gain_ * x.data[i] + (offset ? offset.data[0] : 0.0f) + static_cast<float>(power_);
    });
  }

 private:
  float gain_;
  int64_t power_;
  std::string mode_;
};

std::string affine_model() {
  const std::vector<int64_t> shape{2, 3};
  const std::string node = bytes(1, "x") + bytes(2, "y") + bytes(4, "Affine") + bytes(7, "test") + float_attribute("gain", 2.5f) +
                           text_attribute("mode", "negated");
  return test::model(bytes(1, node) + bytes(11, tensor_value("x", shape)) + bytes(12, tensor_value("y", shape)), "test");
}

struct Fixture {
  Owned<&Api::ReleaseSessionOptions, OrtSessionOptions> options;
  Owned<&Api::ReleaseSession, OrtSession> session;

  explicit Fixture(int threads) {
    static const auto op = std::make_shared<CustomOp<Affine>>(test_target());
    static OrtCustomOpDomain* const domain = [] {
      OrtCustomOpDomain* created = nullptr;
      check(api().CreateCustomOpDomain("test", &created), "CreateCustomOpDomain");
      check(api().CustomOpDomain_Add(created, op.get()), "CustomOpDomain_Add");
      return created;
    }();
    check(api().CreateSessionOptions(options.out()), "CreateSessionOptions");
    check(api().SetSessionLogSeverityLevel(options.get(), 4), "SetSessionLogSeverityLevel");
    check(api().SetIntraOpNumThreads(options.get(), threads), "SetIntraOpNumThreads");
    check(api().AddCustomOpDomain(options.get(), domain), "AddCustomOpDomain");
    const std::string model = affine_model();
    check(api().CreateSessionFromArray(environment(), model.data(), model.size(), options.get(), session.out()), "CreateSession");
  }

  std::vector<float> run(std::vector<float> x) {
    std::vector<float> y(6);
    const int64_t shape[] = {2, 3};
    Owned<&Api::ReleaseMemoryInfo, OrtMemoryInfo> memory;
    Owned<&Api::ReleaseValue, OrtValue> input, output;
    check(api().CreateCpuMemoryInfo(AllocatorType::device, MemoryType::standard, memory.out()), "CreateCpuMemoryInfo");
    check(api().CreateTensorWithDataAsOrtValue(memory.get(), x.data(), 24, shape, 2, ElementType::float32, input.out()), "x");
    check(api().CreateTensorWithDataAsOrtValue(memory.get(), y.data(), 24, shape, 2, ElementType::float32, output.out()), "y");
    const char* const input_name = "x";
    const char* const output_name = "y";
    const OrtValue* const input_value = input.get();
    OrtValue* output_value = output.get();
    check(api().Run(session.get(), nullptr, &input_name, &input_value, 1, &output_name, 1, &output_value), "Run");
    return y;
  }
};

template <class F>
std::string code_thrown_by(F&& body) {
  try {
    body();
  } catch (const CodedError& error) {
    return error.code();
  }
  return "";
}

}  // namespace

int main() {
  CHECK(code_thrown_by([] { open_library("/nonexistent/libonnxruntime.so"); }) == "ERR_RUNTIME_MISSING");
  open_library(ONNXRUNTIME_LIBRARY);
  for (int threads : {1, 3}) {
    Fixture fixture(threads);
    const std::vector<float> y = fixture.run({0, 1, 2, 3, 4, 5});
    for (size_t i = 0; i < y.size(); ++i) CHECK_CLOSE(y[i], 1 - 2.5 * static_cast<double>(i), 0);
    CHECK(code_thrown_by([&] { fixture.run({-1, 1, 2, 3, 4, 5}); }) == "ERR_NOT_FINITE");
    CHECK_CLOSE(fixture.run({2, 1, 2, 3, 4, 5})[0], -4, 0);
  }
  return larmor::test::finish();
}
