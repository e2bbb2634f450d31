// Creates sessions and runs bindings.
#include "ort/session.h"

#include <mutex>
#include <utility>

#include "ort/custom_ops.h"

namespace larmor::ort {
namespace {

OrtAllocator* default_allocator() {
  OrtAllocator* allocator = nullptr;
  check(api().GetAllocatorWithDefaultOptions(&allocator), "GetAllocatorWithDefaultOptions");
  return allocator;
}

const OrtMemoryInfo* cpu_memory() {
  static const OrtMemoryInfo* const info = [] {
    OrtMemoryInfo* created = nullptr;
    check(api().CreateCpuMemoryInfo(AllocatorType::device, MemoryType::standard, &created), "CreateCpuMemoryInfo");
    return created;
  }();
  return info;
}

using GetName = decltype(Api::SessionGetInputName);
using GetTypeInfo = decltype(Api::SessionGetInputTypeInfo);

TensorInfo describe(OrtSession* session, size_t index, GetName get_name, GetTypeInfo get_type_info) {
  TensorInfo info;
  char* name = nullptr;
  check(get_name(session, index, default_allocator(), &name), "SessionGetName");
  info.name = name;
  check(api().AllocatorFree(default_allocator(), name), "AllocatorFree");

  Owned<&Api::ReleaseTypeInfo, OrtTypeInfo> type;
  check(get_type_info(session, index, type.out()), "SessionGetTypeInfo");
  const OrtTensorTypeAndShapeInfo* tensor = nullptr;
  check(api().CastTypeInfoToTensorInfo(type.get(), &tensor), "CastTypeInfoToTensorInfo");
  if (tensor == nullptr) throw CodedError("ERR_GRAPH", "ONNX Runtime: " + info.name + " is not a tensor");
  check(api().GetTensorElementType(tensor, &info.type), "GetTensorElementType");
  size_t rank = 0;
  check(api().GetDimensionsCount(tensor, &rank), "GetDimensionsCount");
  info.shape.resize(rank);
  check(api().GetDimensions(tensor, info.shape.data(), rank), "GetDimensions");
  return info;
}

}  // namespace

OwnedValue host_value(ElementType type, const std::vector<int64_t>& shape, void* data, size_t bytes, const OrtMemoryInfo* where) {
  OwnedValue value;
  check(api().CreateTensorWithDataAsOrtValue(where ? where : cpu_memory(), data, bytes, shape.data(), shape.size(), type, value.out()), "CreateTensorWithDataAsOrtValue",
        "ERR_SHAPE");
  return value;
}

Session::Session(const void* model, size_t bytes, const SessionOptions& wanted) : provider_(wanted.provider.name), operators_(wanted.provider.operators) {
  Owned<&Api::ReleaseSessionOptions, OrtSessionOptions> options;
  check(api().CreateSessionOptions(options.out()), "CreateSessionOptions");
  check(api().SetSessionLogSeverityLevel(options.get(), wanted.log_severity), "SetSessionLogSeverityLevel");
  check(api().SetSessionGraphOptimizationLevel(options.get(), wanted.optimization), "SetSessionGraphOptimizationLevel");
  check(api().SetIntraOpNumThreads(options.get(), wanted.threads), "SetIntraOpNumThreads");
  check(api().SetInterOpNumThreads(options.get(), 1), "SetInterOpNumThreads");
  // Threads that spin while idle starve every other process of a shared machine.
  for (const char* key : {"session.intra_op.allow_spinning", "session.inter_op.allow_spinning"})
    check(api().AddSessionConfigEntry(options.get(), key, "0"), key);
  // A pattern lays all memory of a run out in one block, beside the pieces that the first run has left in the arena: a
  // training step then holds about twice what it needs.
  check(api().DisableMemPattern(options.get()), "DisableMemPattern");
  (operators_ ? *operators_ : OperatorSet::cpu()).add_to(options.get());
  const auto device = exclusive(provider_);
  if (!provider_.empty()) append_provider(options.get(), wanted.provider);
  {
    // The library adds a custom domain to its table of domains without a lock: two first sessions at once would both add ours.
    static std::mutex creating;
    std::lock_guard lock(creating);
    check(api().CreateSessionFromArray(environment(), model, bytes, options.get(), session_.out()), "cannot load the graph",
          provider_.empty() ? "ERR_GRAPH" : "ERR_DEVICE");
  }

  size_t count = 0;
  check(api().SessionGetInputCount(session_.get(), &count), "SessionGetInputCount");
  for (size_t i = 0; i < count; ++i) inputs_.push_back(describe(session_.get(), i, api().SessionGetInputName, api().SessionGetInputTypeInfo));
  check(api().SessionGetOutputCount(session_.get(), &count), "SessionGetOutputCount");
  for (size_t i = 0; i < count; ++i) outputs_.push_back(describe(session_.get(), i, api().SessionGetOutputName, api().SessionGetOutputTypeInfo));
}

Session::~Session() {
  const auto lock = exclusive(provider_);
  session_.reset();
}

void Binding::Side::add(const BoundTensor& tensor) {
  names.push_back(tensor.name);
  tensors.push_back(tensor.device);
  values.push_back(tensor.device ? OwnedValue() : host_value(tensor.type, tensor.shape, tensor.data, tensor.bytes, tensor.where));
}

void Binding::Side::seal() {
  for (const std::string& name : names) name_pointers.push_back(name.c_str());
}

std::vector<OrtValue*> Binding::Side::present() const {
  std::vector<OrtValue*> pointers;
  for (size_t i = 0; i < values.size(); ++i) pointers.push_back(tensors[i] ? tensors[i]->value() : values[i].get());
  return pointers;
}

Binding::Binding(const std::vector<BoundTensor>& inputs, const std::vector<BoundTensor>& outputs) {
  check(api().CreateRunOptions(options_.out()), "CreateRunOptions");
  for (const BoundTensor& tensor : inputs) inputs_.add(tensor);
  for (const BoundTensor& tensor : outputs) outputs_.add(tensor);
  inputs_.seal();
  outputs_.seal();
}

void Binding::run(const Session& session) const {
  const auto lock = exclusive(session.provider());
  const std::vector<OrtValue*> inputs = inputs_.present();
  std::vector<OrtValue*> outputs = outputs_.present();
  check(api().Run(session.get(), options_.get(), inputs_.name_pointers.data(), inputs.data(), inputs.size(), outputs_.name_pointers.data(),
                  outputs.size(), outputs.data()),
        "run failed", session.provider().empty() ? "ERR_RUNTIME" : "ERR_DEVICE");
}

void Binding::terminate() { check(api().RunOptionsSetTerminate(options_.get()), "RunOptionsSetTerminate"); }
void Binding::rearm() { check(api().RunOptionsUnsetTerminate(options_.get()), "RunOptionsUnsetTerminate"); }

}  // namespace larmor::ort
