// The frame of a custom operator: an operator is one small class with a signature, a constructor that reads its attributes
// and compute(). An example stands at CustomOp below.
#pragma once
#include <climits>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "core/parallel.h"
#include "ort/api.h"
#include "ort/compute.h"
#include "ort/library.h"

namespace larmor::ort {

enum class Presence : int { required = 0, optional = 1 };

/// One input or output of an operator. Optional ones follow the required ones.
struct Slot {
  ElementType type = ElementType::float32;
  Presence presence = Presence::required;
};
constexpr Slot kFloat32{};
constexpr Slot kOptionalFloat32{ElementType::float32, Presence::optional};

/// An input whose memory an output may take over when nothing else needs it. compute() must then work where both are the same.
struct InPlace {
  int input, output;
};

struct Signature {
  const char* name;
  std::vector<Slot> inputs, outputs;
  std::vector<InPlace> in_place = {};
};

/// The attributes of one node, read while its kernel is constructed.
class Attributes {
 public:
  explicit Attributes(const OrtKernelInfo* info) : info_(info) {}
  float number(const char* name, float fallback) const;
  int64_t integer(const char* name, int64_t fallback) const;
  std::string text(const char* name, const char* fallback) const;

 private:
  const OrtKernelInfo* info_;
};

/// An input tensor; `data` is null when an optional input is absent.
template <class T>
struct Input {
  const T* data = nullptr;
  std::vector<int64_t> shape;

  explicit operator bool() const { return data != nullptr; }
  size_t dim(size_t axis) const { return static_cast<size_t>(shape[axis]); }
  size_t rank() const { return shape.size(); }
  size_t size() const {
    size_t product = 1;
    for (const int64_t n : shape) product *= static_cast<size_t>(n);
    return product;
  }
};

/// Runs tasks on the threads of the session that runs a kernel; those sleep when idle.
class SessionThreads final : public Parallel {
 public:
  explicit SessionThreads(const OrtKernelContext* context) : context_(context) {}
  void run(size_t count, Task task, void* context) const override;

 private:
  const OrtKernelContext* context_;
};

/// Where operators run. A set of operators is made for each; signatures and checks are the same.
struct Target {
  /// Name of the provider whose nodes they serve; null for the CPU's.
  const char* provider;
  /// What computes one run of a kernel.
  std::function<std::shared_ptr<const Compute>(const OrtKernelContext*)> compute;
};

/// The CPU, on the session's threads.
const Target& cpu_target();

/// One run of a kernel: its inputs, its outputs and what computes them.
class Context {
 public:
  Context(OrtKernelContext* context, const Target& target) : context_(context), compute_(target.compute(context)) {}

  /// Input `index`, which the operator's signature declares with elements of type T.
  template <class T>
  Input<T> input(size_t index) const {
    Input<T> result;
    result.data = static_cast<const T*>(input_data(index, result.shape));
    return result;
  }
  /// Memory for output `index` of the given shape, uninitialised; null when the graph does not use that optional output.
  template <class T>
  T* output(size_t index, const std::vector<int64_t>& shape) {
    return static_cast<T*>(output_data(index, shape));
  }
  const Compute& compute() const { return *compute_; }

 private:
  const void* input_data(size_t index, std::vector<int64_t>& shape) const;
  void* output_data(size_t index, const std::vector<int64_t>& shape);

  OrtKernelContext* context_;
  std::shared_ptr<const Compute> compute_;
};

/// Makes `Kernel` an operator of the domain `larmor`.
///
///     class Twice {
///      public:
///       static Signature signature() { return {"Twice", {kFloat32}, {kFloat32}}; }
///       explicit Twice(const Attributes& attributes) : offset_(attributes.number("offset", 0)) {}
///       void compute(Context& context) const {
///         const auto x = context.input<float>(0);
///         float* const y = context.output<float>(0, x.shape);
///         context.compute().twice(offset_, x.size(), x.data, y);
///       }
///      private:
///       float offset_;
///     };
///     const Operator op = std::make_shared<CustomOp<Twice>>(cpu_target());
///
/// One kernel is constructed per node and session. compute() is const because several runs of a session may call it at
/// once. Either may throw: a CodedError keeps its code on the way to JavaScript.
template <class Kernel>
class CustomOp final : public OrtCustomOp {
 public:
  /// `target` must outlive the sessions that know the operator.
  explicit CustomOp(const Target& target) : OrtCustomOp{}, signature_(Kernel::signature()), target_(target) {
    version = 18;  // from here on GetMayInplace is read
    GetName = [](const OrtCustomOp* op) { return signature(op).name; };
    GetExecutionProviderType = [](const OrtCustomOp* op) { return static_cast<const CustomOp*>(op)->target_.provider; };
    GetInputTypeCount = [](const OrtCustomOp* op) { return signature(op).inputs.size(); };
    GetInputType = [](const OrtCustomOp* op, size_t i) { return signature(op).inputs[i].type; };
    GetInputCharacteristic = [](const OrtCustomOp* op, size_t i) { return static_cast<int>(signature(op).inputs[i].presence); };
    GetInputMemoryType = [](const OrtCustomOp*, size_t) { return MemoryType::standard; };
    GetOutputTypeCount = [](const OrtCustomOp* op) { return signature(op).outputs.size(); };
    GetOutputType = [](const OrtCustomOp* op, size_t i) { return signature(op).outputs[i].type; };
    GetOutputCharacteristic = [](const OrtCustomOp* op, size_t i) { return static_cast<int>(signature(op).outputs[i].presence); };
    GetVariadicInputMinArity = GetVariadicInputHomogeneity = GetVariadicOutputMinArity = GetVariadicOutputHomogeneity =
        [](const OrtCustomOp*) { return 1; };
    GetStartVersion = [](const OrtCustomOp*) { return 1; };
    GetEndVersion = [](const OrtCustomOp*) { return INT_MAX; };
    GetMayInplace = [](int** inputs, int** outputs) {
      const std::vector<InPlace> pairs = Kernel::signature().in_place;
      *inputs = new int[pairs.size()];
      *outputs = new int[pairs.size()];
      for (size_t i = 0; i < pairs.size(); ++i) (*inputs)[i] = pairs[i].input, (*outputs)[i] = pairs[i].output;
      return pairs.size();
    };
    ReleaseMayInplace = [](int* inputs, int* outputs) {
      delete[] inputs;
      delete[] outputs;
    };
    CreateKernelV2 = [](const OrtCustomOp* op, const void*, const OrtKernelInfo* info, void** kernel) -> OrtStatus* {
      try {
        *kernel = new Node{Kernel(Attributes(info)), static_cast<const CustomOp*>(op)->target_};
        return nullptr;
      } catch (...) {
        return status_of_current_exception();
      }
    };
    KernelComputeV2 = [](void* kernel, OrtKernelContext* context) -> OrtStatus* {
      try {
        const Node& node = *static_cast<const Node*>(kernel);
        Context run(context, node.target);
        node.kernel.compute(run);
        return nullptr;
      } catch (...) {
        return status_of_current_exception();
      }
    };
    KernelDestroy = [](void* kernel) { delete static_cast<Node*>(kernel); };
  }

 private:
  struct Node {
    Kernel kernel;
    const Target& target;
  };

  static const Signature& signature(const OrtCustomOp* op) { return static_cast<const CustomOp*>(op)->signature_; }

  Signature signature_;
  const Target& target_;
};

/// An operator, as long as some session may know it.
using Operator = std::shared_ptr<const OrtCustomOp>;

/// The kernels' operators for a target.
template <class... Kernels>
std::vector<Operator> operators(const Target& target) {
  return {std::make_shared<const CustomOp<Kernels>>(target)...};
}

}  // namespace larmor::ort
