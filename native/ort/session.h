// Sessions of ONNX Runtime and runs on tensors bound once, in memory that belongs to the caller.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ort/api.h"
#include "ort/library.h"

namespace larmor::ort {

struct SessionOptions {
  int threads = 1;             // of the session, counting the thread that calls run()
  int optimization = 99;       // graph optimisation level: off 0, basic 1, extended 2, layout 3, all 99
  int log_severity = 4;        // what the library prints to stderr: verbose 0 ... fatal 4
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
  Session(const void* model, size_t bytes, const SessionOptions& options);

  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }
  OrtSession* get() const { return session_.get(); }

 private:
  Owned<&Api::ReleaseSession, OrtSession> session_;
  std::vector<TensorInfo> inputs_, outputs_;
};

/// Memory of the caller that a binding reads or writes.
struct BoundTensor {
  std::string name;
  ElementType type;
  std::vector<int64_t> shape;
  void* data;
  size_t bytes;
};

/// Inputs and outputs of a graph wrapped once for many runs, without a copy. The memory must outlive every run; its
/// contents may change between runs.
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
  using Value = Owned<&Api::ReleaseValue, OrtValue>;

  struct Side {
    std::vector<std::string> names;
    std::vector<Value> values;
    std::vector<const char*> name_pointers;
    std::vector<OrtValue*> value_pointers;
    void add(const BoundTensor& tensor);
    void seal();
  };

  Owned<&Api::ReleaseRunOptions, OrtRunOptions> options_;
  Side inputs_, outputs_;
};

}  // namespace larmor::ort
