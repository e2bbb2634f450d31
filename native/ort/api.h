// The part of ONNX Runtime's C interface that larmor calls, declared by index: the interface is one append-only table of
// function pointers, so an index never changes its meaning once published.
#pragma once
#include <cstddef>
#include <cstdint>

namespace larmor::ort {

struct OrtAllocator;
struct OrtCUDAProviderOptionsV2;
struct OrtCustomOpDomain;
struct OrtEnv;
struct OrtKernelContext;
struct OrtKernelInfo;
struct OrtMemoryInfo;
struct OrtRunOptions;
struct OrtSession;
struct OrtSessionOptions;
struct OrtStatus;
struct OrtSyncStream;
struct OrtTensorTypeAndShapeInfo;
struct OrtTypeInfo;
struct OrtValue;
struct OrtCustomOp;

constexpr uint32_t kApiVersion = 23;

enum class ErrorCode : int { fail = 1, invalid_argument = 2, no_such_file = 3, no_model = 4, runtime = 6, invalid_protobuf = 7, not_implemented = 9, invalid_graph = 10 };
enum class ElementType : int { float32 = 1, uint8 = 2, int32 = 6, int64 = 7, boolean = 9, float64 = 11 };
enum class AllocatorType : int { device = 0 };
enum class MemoryType : int { standard = 0 };
enum class LogSeverity : int { fatal = 4 };

// X(index, name, result, parameters...)
#define LARMOR_ORT_FUNCTIONS(X)                                                                                                       \
  X(0, CreateStatus, OrtStatus*, ErrorCode, const char*)                                                                              \
  X(1, GetErrorCode, ErrorCode, const OrtStatus*)                                                                                     \
  X(2, GetErrorMessage, const char*, const OrtStatus*)                                                                                \
  X(3, CreateEnv, OrtStatus*, LogSeverity, const char*, OrtEnv**)                                                                     \
  X(8, CreateSessionFromArray, OrtStatus*, const OrtEnv*, const void*, size_t, const OrtSessionOptions*, OrtSession**)                \
  X(9, Run, OrtStatus*, OrtSession*, const OrtRunOptions*, const char* const*, const OrtValue* const*, size_t, const char* const*,    \
    size_t, OrtValue**)                                                                                                               \
  X(10, CreateSessionOptions, OrtStatus*, OrtSessionOptions**)                                                                        \
  X(17, DisableMemPattern, OrtStatus*, OrtSessionOptions*)                                                                            \
  X(22, SetSessionLogSeverityLevel, OrtStatus*, OrtSessionOptions*, int)                                                              \
  X(23, SetSessionGraphOptimizationLevel, OrtStatus*, OrtSessionOptions*, int)                                                        \
  X(24, SetIntraOpNumThreads, OrtStatus*, OrtSessionOptions*, int)                                                                    \
  X(25, SetInterOpNumThreads, OrtStatus*, OrtSessionOptions*, int)                                                                    \
  X(26, CreateCustomOpDomain, OrtStatus*, const char*, OrtCustomOpDomain**)                                                           \
  X(27, CustomOpDomain_Add, OrtStatus*, OrtCustomOpDomain*, const OrtCustomOp*)                                                       \
  X(28, AddCustomOpDomain, OrtStatus*, OrtSessionOptions*, OrtCustomOpDomain*)                                                        \
  X(30, SessionGetInputCount, OrtStatus*, const OrtSession*, size_t*)                                                                 \
  X(31, SessionGetOutputCount, OrtStatus*, const OrtSession*, size_t*)                                                                \
  X(33, SessionGetInputTypeInfo, OrtStatus*, const OrtSession*, size_t, OrtTypeInfo**)                                                \
  X(34, SessionGetOutputTypeInfo, OrtStatus*, const OrtSession*, size_t, OrtTypeInfo**)                                               \
  X(36, SessionGetInputName, OrtStatus*, const OrtSession*, size_t, OrtAllocator*, char**)                                            \
  X(37, SessionGetOutputName, OrtStatus*, const OrtSession*, size_t, OrtAllocator*, char**)                                           \
  X(39, CreateRunOptions, OrtStatus*, OrtRunOptions**)                                                                                \
  X(46, RunOptionsSetTerminate, OrtStatus*, OrtRunOptions*)                                                                           \
  X(47, RunOptionsUnsetTerminate, OrtStatus*, OrtRunOptions*)                                                                         \
  X(48, CreateTensorAsOrtValue, OrtStatus*, OrtAllocator*, const int64_t*, size_t, ElementType, OrtValue**)                           \
  X(49, CreateTensorWithDataAsOrtValue, OrtStatus*, const OrtMemoryInfo*, void*, size_t, const int64_t*, size_t, ElementType,         \
    OrtValue**)                                                                                                                       \
  X(51, GetTensorMutableData, OrtStatus*, OrtValue*, void**)                                                                          \
  X(55, CastTypeInfoToTensorInfo, OrtStatus*, const OrtTypeInfo*, const OrtTensorTypeAndShapeInfo**)                                  \
  X(60, GetTensorElementType, OrtStatus*, const OrtTensorTypeAndShapeInfo*, ElementType*)                                             \
  X(61, GetDimensionsCount, OrtStatus*, const OrtTensorTypeAndShapeInfo*, size_t*)                                                    \
  X(62, GetDimensions, OrtStatus*, const OrtTensorTypeAndShapeInfo*, int64_t*, size_t)                                                \
  X(65, GetTensorTypeAndShape, OrtStatus*, const OrtValue*, OrtTensorTypeAndShapeInfo**)                                              \
  X(68, CreateMemoryInfo, OrtStatus*, const char*, AllocatorType, int, MemoryType, OrtMemoryInfo**)                                   \
  X(69, CreateCpuMemoryInfo, OrtStatus*, AllocatorType, MemoryType, OrtMemoryInfo**)                                                  \
  X(76, AllocatorFree, OrtStatus*, OrtAllocator*, void*)                                                                              \
  X(78, GetAllocatorWithDefaultOptions, OrtStatus*, OrtAllocator**)                                                                   \
  X(85, KernelInfoGetAttribute_float, OrtStatus*, const OrtKernelInfo*, const char*, float*)                                          \
  X(86, KernelInfoGetAttribute_int64, OrtStatus*, const OrtKernelInfo*, const char*, int64_t*)                                        \
  X(87, KernelInfoGetAttribute_string, OrtStatus*, const OrtKernelInfo*, const char*, char*, size_t*)                                 \
  X(88, KernelContext_GetInputCount, OrtStatus*, const OrtKernelContext*, size_t*)                                                    \
  X(89, KernelContext_GetOutputCount, OrtStatus*, const OrtKernelContext*, size_t*)                                                   \
  X(90, KernelContext_GetInput, OrtStatus*, const OrtKernelContext*, size_t, const OrtValue**)                                        \
  X(91, KernelContext_GetOutput, OrtStatus*, OrtKernelContext*, size_t, const int64_t*, size_t, OrtValue**)                           \
  X(93, ReleaseStatus, void, OrtStatus*)                                                                                              \
  X(94, ReleaseMemoryInfo, void, OrtMemoryInfo*)                                                                                      \
  X(95, ReleaseSession, void, OrtSession*)                                                                                            \
  X(96, ReleaseValue, void, OrtValue*)                                                                                                \
  X(97, ReleaseRunOptions, void, OrtRunOptions*)                                                                                      \
  X(98, ReleaseTypeInfo, void, OrtTypeInfo*)                                                                                          \
  X(99, ReleaseTensorTypeAndShapeInfo, void, OrtTensorTypeAndShapeInfo*)                                                              \
  X(100, ReleaseSessionOptions, void, OrtSessionOptions*)                                                                             \
  X(101, ReleaseCustomOpDomain, void, OrtCustomOpDomain*)                                                                             \
  X(130, AddSessionConfigEntry, OrtStatus*, OrtSessionOptions*, const char*, const char*)                                             \
  X(131, CreateAllocator, OrtStatus*, const OrtSession*, const OrtMemoryInfo*, OrtAllocator**)                                        \
  X(132, ReleaseAllocator, void, OrtAllocator*)                                                                                       \
  X(193, KernelContext_GetGPUComputeStream, OrtStatus*, const OrtKernelContext*, void**)                                              \
  X(204, SessionOptionsAppendExecutionProvider_CUDA_V2, OrtStatus*, OrtSessionOptions*, const OrtCUDAProviderOptionsV2*)              \
  X(205, CreateCUDAProviderOptions, OrtStatus*, OrtCUDAProviderOptionsV2**)                                                           \
  X(206, UpdateCUDAProviderOptions, OrtStatus*, OrtCUDAProviderOptionsV2*, const char* const*, const char* const*, size_t)            \
  X(208, ReleaseCUDAProviderOptions, void, OrtCUDAProviderOptionsV2*)                                                                 \
  X(216, SessionOptionsAppendExecutionProvider, OrtStatus*, OrtSessionOptions*, const char*, const char* const*, const char* const*,  \
    size_t)                                                                                                                           \
  X(263, UpdateCUDAProviderOptionsWithValue, OrtStatus*, OrtCUDAProviderOptionsV2*, const char*, void*)                               \
  X(274, KernelContext_ParallelFor, OrtStatus*, const OrtKernelContext*, void (*)(void*, size_t), size_t, size_t, void*)              \
  X(386, CopyTensors, OrtStatus*, const OrtEnv*, const OrtValue* const*, OrtValue* const*, OrtSyncStream*, size_t)

/// The functions above, read from the library's table. Functions that return an OrtStatus* fail when it is not null.
struct Api {
#define LARMOR_ORT_MEMBER(index, name, result, ...) result (*name)(__VA_ARGS__);
  LARMOR_ORT_FUNCTIONS(LARMOR_ORT_MEMBER)
#undef LARMOR_ORT_MEMBER
};

/// What the library's one exported symbol, OrtGetApiBase, returns.
struct OrtApiBase {
  void* const* (*GetApi)(uint32_t version);
  const char* (*GetVersionString)();
};

/// A custom operator as the library reads it. Callbacks marked optional may be null; the library calls the others unchecked.
struct OrtCustomOp {
  uint32_t version;  // 17: the V2 callbacks are read; 18: also what may be in place
  void* (*CreateKernel)(const OrtCustomOp*, const void*, const OrtKernelInfo*);  // unused: replaced by CreateKernelV2
  const char* (*GetName)(const OrtCustomOp*);
  const char* (*GetExecutionProviderType)(const OrtCustomOp*);
  ElementType (*GetInputType)(const OrtCustomOp*, size_t);
  size_t (*GetInputTypeCount)(const OrtCustomOp*);
  ElementType (*GetOutputType)(const OrtCustomOp*, size_t);
  size_t (*GetOutputTypeCount)(const OrtCustomOp*);
  void (*KernelCompute)(void*, OrtKernelContext*);  // unused: replaced by KernelComputeV2
  void (*KernelDestroy)(void*);
  int (*GetInputCharacteristic)(const OrtCustomOp*, size_t);
  int (*GetOutputCharacteristic)(const OrtCustomOp*, size_t);
  MemoryType (*GetInputMemoryType)(const OrtCustomOp*, size_t);
  int (*GetVariadicInputMinArity)(const OrtCustomOp*);
  int (*GetVariadicInputHomogeneity)(const OrtCustomOp*);
  int (*GetVariadicOutputMinArity)(const OrtCustomOp*);
  int (*GetVariadicOutputHomogeneity)(const OrtCustomOp*);
  OrtStatus* (*CreateKernelV2)(const OrtCustomOp*, const void*, const OrtKernelInfo*, void**);
  OrtStatus* (*KernelComputeV2)(void*, OrtKernelContext*);
  OrtStatus* (*InferOutputShapeFn)(const OrtCustomOp*, void*);  // optional
  int (*GetStartVersion)(const OrtCustomOp*);
  int (*GetEndVersion)(const OrtCustomOp*);
  size_t (*GetMayInplace)(int**, int**);    // optional
  void (*ReleaseMayInplace)(int*, int*);    // optional
  size_t (*GetAliasMap)(int**, int**);      // optional
  void (*ReleaseAliasMap)(int*, int*);      // optional
};
static_assert(sizeof(void*) != 8 || sizeof(OrtCustomOp) == 208);

}  // namespace larmor::ort
