// Sessions of ONNX Runtime and runs on tensors bound once, in memory that belongs to the caller.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ort/api.h"
#include "ort/library.h"
#include "ort/provider.h"

namespace larmor::ort {

struct SessionOptions {
  int threads = 1;             // of the session, counting the thread that calls run()
  int optimization = 99;       // graph optimisation level: off 0, basic 1, extended 2, layout 3, all 99
  int log_severity = 4;        // what the library prints to stderr: verbose 0 ... fatal 4
  Provider provider = {};      // where the graph runs, unless on the CPU
};

/// An input or output of a session as its graph declares it.
struct TensorInfo {
  std::string name;
  ElementType type;
  std::vector<int64_t> shape;  // -1 where the graph leaves a length open
};

/// A loaded graph. Several threads may run it at once.
class Session {
 public:
  /// Throws CodedError ERR_GRAPH when the bytes are no valid graph. The bytes are not needed afterwards.
  /// Throws CodedError ERR_DEVICE when the provider finds no device, or runs not all of the graph.
  Session(const void* model, size_t bytes, const SessionOptions& options);
  ~Session();
  Session(Session&&) = default;

  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }
  OrtSession* get() const { return session_.get(); }
  /// Name of the provider; empty for the CPU alone.
  const std::string& provider() const { return provider_; }

 private:
  std::string provider_;
  std::shared_ptr<const OperatorSet> operators_;  // outlives the session
  Owned<&Api::ReleaseSession, OrtSession> session_;
  std::vector<TensorInfo> inputs_, outputs_;
};

using OwnedValue = Owned<&Api::ReleaseValue, OrtValue>;

/// A tensor around memory of the caller, without a copy; `where` null: memory of the host.
OwnedValue host_value(ElementType type, const std::vector<int64_t>& shape, void* data, size_t bytes, const OrtMemoryInfo* where = nullptr);

/// What a binding reads or writes: memory of the caller, or a tensor on the session's device.
struct BoundTensor {
  std::string name;
  ElementType type;
  std::vector<int64_t> shape;
  void* data;
  size_t bytes;
  std::shared_ptr<DeviceTensor> device = nullptr;
  const OrtMemoryInfo* where = nullptr;  // what memory `data` is; null: the host's
};

/// Inputs and outputs of a graph wrapped once for many runs, without a copy on the CPU; a session on a device copies those that lie on the
/// host at every run. Memory of the caller must outlive every run; its contents may change between runs.
class Binding {
 public:
  Binding(const std::vector<BoundTensor>& inputs, const std::vector<BoundTensor>& outputs);

  /// Runs the session's graph. One run at a time.
  void run(const Session& session) const;
  /// Makes the current run, or the next one, end with an error at the next node of the graph. Any thread may call it.
  void terminate();
  /// Takes terminate() back.
  void rearm();

 private:
  struct Side {
    std::vector<std::string> names;
    std::vector<OwnedValue> values;                      // around memory of the caller; empty where a device's tensor stands
    std::vector<std::shared_ptr<DeviceTensor>> tensors;  // empty where memory of the caller stands
    std::vector<const char*> name_pointers;
    void add(const BoundTensor& tensor);
    void seal();
    /// Where the tensors lie by now.
    std::vector<OrtValue*> present() const;
  };

  Owned<&Api::ReleaseRunOptions, OrtRunOptions> options_;
  Side inputs_, outputs_;
};

}  // namespace larmor::ort
