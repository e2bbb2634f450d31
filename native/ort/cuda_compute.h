// The custom operators on a CUDA device, by the plugin's table on the stream of one of its contexts.
#pragma once
#include "cuda/plugin.h"
#include "ort/custom_op.h"

namespace larmor::ort {

/// A context of the plugin. Both must outlive the sessions that compute there, whose runs must have the context to themselves.
struct CudaStream {
  const LarmorCudaTable* table;
  LarmorCudaContext* context;
};

/// What is wrong with the numbers shows in the loss: the device does not report it, as the CPU does, where it arises.
class CudaCompute final : public Compute {
 public:
  explicit CudaCompute(const CudaStream& stream) : table_(*stream.table), context_(stream.context) {}

#define LARMOR_COMPUTE_OVERRIDE(name, parameters) void name parameters const override;
  LARMOR_COMPUTE_FUNCTIONS(LARMOR_COMPUTE_OVERRIDE)
#undef LARMOR_COMPUTE_OVERRIDE

 private:
  void check_status(LarmorCudaStatus status, const char* what) const;

  const LarmorCudaTable& table_;
  LarmorCudaContext* context_;
};

/// Operators for nodes of ONNX Runtime's CUDA provider. A run on another stream than the context's fails: its results would not be waited for.
/// `provider` null makes operators for the CPU's nodes, on whose memory a plugin without a device computes; for tests.
Target cuda_target(const CudaStream& stream, const char* provider = "CUDAExecutionProvider");

}  // namespace larmor::ort
