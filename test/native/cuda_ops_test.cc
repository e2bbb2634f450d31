// Every custom operator as CUDA's nodes have it, on a plugin that computes in host memory by plain loops, against the operator of the CPU: the
// same inputs, outputs, optional ones and attributes reach the table.
#include "reference_plugin.cc"

#include <map>
#include <random>

#include "check.h"
#include "onnx_bytes.h"
#include "ort/cuda_compute.h"
#include "ort/custom_ops.h"

// Read by the leak checker: loading a graph leaks a few bytes inside the library, once per process.
extern "C" __attribute__((visibility("default"))) const char* __lsan_default_suppressions() { return "leak:libonnxruntime.so"; }

namespace {

namespace ort = larmor::ort;
namespace onnx = larmor::test;
using ort::api, ort::check;
using Lengths = std::vector<int64_t>;
using Values = std::vector<float>;

struct Input {
  Lengths shape;      // empty: an optional input that is left out
  bool mask = false;  // 0 or 1
  float low = -1;
};

struct Case {
  const char* op;
  std::string attributes;
  std::vector<Input> inputs;
  std::vector<Lengths> outputs;
};

size_t size_of(const Lengths& shape) {
  size_t size = 1;
  for (const int64_t n : shape) size *= static_cast<size_t>(n);
  return size;
}

std::string name_of(char side, size_t i) { return std::string(1, side) + std::to_string(i); }

std::string model_of(const Case& c) {
  std::string node, values;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const bool given = !c.inputs[i].shape.empty();
    node += onnx::bytes(1, given ? name_of('x', i) : "");
    if (given) values += onnx::bytes(11, onnx::tensor_value(name_of('x', i), c.inputs[i].shape));
  }
  for (size_t i = 0; i < c.outputs.size(); ++i) {
    node += onnx::bytes(2, name_of('y', i));
    values += onnx::bytes(12, onnx::tensor_value(name_of('y', i)));
  }
  node += onnx::bytes(4, c.op) + onnx::bytes(7, "larmor") + c.attributes;
  return onnx::model(onnx::bytes(1, node) + values, "larmor");
}

std::vector<Values> data_of(const Case& c) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> uniform(0, 1);
  std::vector<Values> data;
  for (const Input& input : c.inputs) {
    Values values(input.shape.empty() ? 0 : size_of(input.shape));
    for (float& value : values) {
      const float u = uniform(random);
      value = input.mask ? (u < 0.6f ? 1.0f : 0.0f) : input.low + (1 - input.low) * u;
    }
    data.push_back(values);
  }
  return data;
}

/// Runs the case's one node with the operators of `set`.
std::vector<Values> run(const Case& c, const ort::OperatorSet& set, std::vector<Values> data) {
  ort::Owned<&ort::Api::ReleaseSessionOptions, ort::OrtSessionOptions> options;
  ort::Owned<&ort::Api::ReleaseSession, ort::OrtSession> session;
  ort::Owned<&ort::Api::ReleaseMemoryInfo, ort::OrtMemoryInfo> memory;
  check(api().CreateSessionOptions(options.out()), "CreateSessionOptions");
  check(api().SetSessionLogSeverityLevel(options.get(), 4), "SetSessionLogSeverityLevel");
  check(api().SetIntraOpNumThreads(options.get(), 1), "SetIntraOpNumThreads");
  set.add_to(options.get());
  const std::string model = model_of(c);
  check(api().CreateSessionFromArray(ort::environment(), model.data(), model.size(), options.get(), session.out()), c.op);
  check(api().CreateCpuMemoryInfo(ort::AllocatorType::device, ort::MemoryType::standard, memory.out()), "CreateCpuMemoryInfo");

  using Value = ort::Owned<&ort::Api::ReleaseValue, ort::OrtValue>;
  std::vector<Value> held;
  std::vector<std::string> names;
  std::vector<ort::OrtValue*> pointers;
  const auto wrap = [&](char side, size_t i, const Lengths& shape, Values& values) {
    Value value;
    check(api().CreateTensorWithDataAsOrtValue(memory.get(), values.data(), values.size() * sizeof(float), shape.data(), shape.size(),
                                               ort::ElementType::float32, value.out()),
          c.op);
    pointers.push_back(value.get());
    names.push_back(name_of(side, i));
    held.push_back(std::move(value));
  };
  std::vector<Values> results;
  for (size_t i = 0; i < c.inputs.size(); ++i)
    if (!c.inputs[i].shape.empty()) wrap('x', i, c.inputs[i].shape, data[i]);
  const size_t inputs = names.size();
  for (const Lengths& shape : c.outputs) results.emplace_back(size_of(shape));
  for (size_t i = 0; i < c.outputs.size(); ++i) wrap('y', i, c.outputs[i], results[i]);
  std::vector<const char*> name_pointers;
  for (const std::string& name : names) name_pointers.push_back(name.c_str());
  check(api().Run(session.get(), nullptr, name_pointers.data(), pointers.data(), inputs, name_pointers.data() + inputs, c.outputs.size(),
                  pointers.data() + inputs),
        c.op);
  return results;
}

double difference(const Values& got, const Values& want) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < want.size(); ++i) {
    error += (double{got[i]} - want[i]) * (double{got[i]} - want[i]);
    norm += double{want[i]} * want[i];
  }
  return norm > 0 ? std::sqrt(error / norm) : 1;  // nothing was computed
}

// n 2, coils 3, 6 x 5 pixels.
const Input kImage{{2, 2, 6, 5}}, kKspace{{2, 3, 6, 5, 2}}, kLines{{2, 1, 5}, true}, kPoints{{2, 6, 5}, true}, kScalar{{1}, false, 0.5f}, kAbsent{{}};
const Input kX{{2, 3, 6, 5}}, kBeside{{2, 2, 6, 5}}, kPerChannel{{3}}, kPerPlane{{2, 3}}, kPositive{{2, 3}, false, 0.5f};

std::vector<Case> cases() {
  using onnx::float_attribute, onnx::int_attribute, onnx::text_attribute;
  std::vector<Case> all;
  for (const Input& mask : {kLines, kPoints}) {
    all.push_back({"Encode", "", {kImage, kKspace, mask}, {kKspace.shape}});
    all.push_back({"EncodeAdjoint", "", {kKspace, kKspace, mask}, {kImage.shape}});
    all.push_back({"EncodeNormal", "", {kImage, kKspace, mask}, {kImage.shape}});
    all.push_back({"EncodeMapsGradient", "", {kImage, kKspace, mask}, {kKspace.shape}});
    all.push_back({"SolveNormal", int_attribute("iterations", 4), {kImage, kKspace, mask, kScalar}, {kImage.shape}});
    all.push_back({"SampleStep", "", {kKspace, mask, kScalar, kKspace, kKspace}, {kKspace.shape}});
    all.push_back({"SampleStepGradient", "", {kKspace, kKspace, mask, kKspace}, {{1}}});
    for (const char* norm : {"l1", "l2"})
      all.push_back({"DataLoss", text_attribute("norm", norm), {kImage, kKspace, mask, mask, kKspace}, {{1}, {1}, kImage.shape}});
  }
  all.push_back({"SampleStep", "", {kKspace, kLines, kScalar}, {kKspace.shape}});
  all.push_back({"SampleStep", "", {kKspace, kLines, kScalar, kAbsent, kKspace}, {kKspace.shape}});
  all.push_back({"SampleStepGradient", "", {kKspace, kKspace, kLines}, {{1}}});
  for (const size_t inverse : {0, 1}) all.push_back({"Fft2", int_attribute("inverse", inverse), {kKspace}, {kKspace.shape}});

  const std::string norm = float_attribute("epsilon", 1e-3f) + float_attribute("slope", 0.3f);
  all.push_back({"InstanceNormLeakyRelu", norm, {kX}, {kX.shape, {2, 3}, {2, 3}}});
  all.push_back({"InstanceNormLeakyRelu", norm, {kX, kPerChannel, kPerChannel}, {kX.shape, {2, 3}, {2, 3}}});
  all.push_back({"InstanceNormLeakyReluGradient", norm, {kX, kX, kPerPlane, kPositive}, {kX.shape}});
  all.push_back({"InstanceNormLeakyReluGradient", norm, {kX, kX, kPerPlane, kPositive, kPerChannel, kPerChannel}, {kX.shape, {3}, {3}}});
  all.push_back({"InstanceNormLeakyReluOutputGradient", norm, {kX, kX, kPositive}, {kX.shape}});
  all.push_back({"Conv3x3", "", {kX, {{4, 3, 3, 3}}}, {{2, 4, 6, 5}}});
  all.push_back({"Conv3x3", "", {kX, {{4, 5, 3, 3}}, kBeside}, {{2, 4, 6, 5}}});
  all.push_back({"Conv3x3", int_attribute("transposed", 1) + int_attribute("split", 3), {kX, {{3, 4, 3, 3}}}, {{2, 3, 6, 5}, {2, 1, 6, 5}}});
  all.push_back({"Conv3x3WeightGradient", "", {kX, {{2, 4, 6, 5}}}, {{4, 3, 3, 3}}});
  all.push_back({"Conv3x3WeightGradient", "", {kX, {{2, 4, 6, 5}}, kBeside}, {{4, 5, 3, 3}}});
  all.push_back({"Conv1x1WeightGradient", "", {kX, {{2, 4, 6, 5}}}, {{4, 3, 1, 1}}});
  all.push_back({"Conv1x1WeightGradient", "", {kX, {{2, 4, 6, 5}}}, {{4, 3, 1, 1}, {4}}});
  all.push_back({"ConvTranspose2x2", "", {kX, {{3, 4, 2, 2}}}, {{2, 4, 12, 10}}});
  all.push_back({"ConvTranspose2x2InputGradient", "", {{{2, 4, 12, 10}}, {{3, 4, 2, 2}}}, {kX.shape}});
  all.push_back({"ConvTranspose2x2WeightGradient", "", {kX, {{2, 4, 12, 10}}}, {{3, 4, 2, 2}}});
  all.push_back({"AveragePool2x2Gradient", int_attribute("height", 7) + int_attribute("width", 5), {{{2, 3, 3, 2}}}, {{2, 3, 7, 5}}});
  all.push_back({"After", "", {kX, kScalar}, {kX.shape}});
  return all;
}

}  // namespace

int main() {
  ort::open_library(ONNXRUNTIME_LIBRARY);
  LarmorCudaContext* stream = nullptr;
  const LarmorCudaTable* const table = larmor_cuda_table();
  table->context_create(0, &stream);
  {
    const ort::OperatorSet device(ort::cuda_target({table, stream}, nullptr));
    std::map<std::string, int> seen;
    for (const Case& c : cases()) {
      const std::vector<Values> data = data_of(c), got = run(c, device, data), want = run(c, ort::OperatorSet::cpu(), data);
      for (size_t i = 0; i < want.size(); ++i) {
        const double error = difference(got[i], want[i]);
        if (!(error <= 1e-5)) std::printf("%s: output %zu differs by %g\n", c.op, i, error);
        CHECK(error <= 1e-5);
      }
      ++seen[c.op];
    }
    size_t operators = 0;
    for (const auto& family : {ort::physics_ops(ort::cpu_target()), ort::convolution_ops(ort::cpu_target()), ort::network_ops(ort::cpu_target())})
      operators += family.size();
    CHECK(seen.size() == operators);

    // What the plugin refuses comes back with the plugin's reason.
    static LarmorCudaTable failing = *table;
    failing.fft2 = [](LarmorCudaContext*, int32_t, uint64_t, uint32_t, uint32_t, const float*, float*) { return fail(LARMOR_CUDA_MEMORY, "no room"); };
    const ort::OperatorSet refusing(ort::cuda_target({&failing, stream}, nullptr));
    const Case fft{"Fft2", "", {kKspace}, {kKspace.shape}};
    std::string code, message;
    try {
      run(fft, refusing, data_of(fft));
    } catch (const larmor::CodedError& error) {
      code = error.code(), message = error.what();
    }
    CHECK(code == "ERR_OUT_OF_MEMORY");
    CHECK(message.find("CUDA: fft2: no room") != std::string::npos);
  }
  table->context_destroy(stream);
  return larmor::test::finish();
}
