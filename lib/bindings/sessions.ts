// The addon's functions for ONNX Runtime's sessions (native/addon/session.cc).
import type { JobControl } from '../binding.js';
import type { CudaContextHandle, DeviceMemoryHandle } from './cuda.js';
import type { DeviceTensorHandle } from './device.js';

declare const handleKind: unique symbol;
/** An opaque native object. */
export interface SessionHandle {
  readonly [handleKind]: 'session';
}
export interface BindingHandle {
  readonly [handleKind]: 'binding';
}

export interface TensorDescription {
  readonly name: string;
  readonly type: 'float32' | 'float64' | 'int32' | 'int64' | 'uint8' | 'bool' | 'unsupported';
  readonly shape: readonly number[];
}

export interface SessionDescription {
  readonly handle: SessionHandle;
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
}

/** Where a tensor lies: an array, a device's tensor, or floats of a CUDA device's memory from an offset; undefined where it is not wanted. */
export type BoundArray =
  | ArrayBufferView
  | DeviceTensorHandle
  | readonly [memory: DeviceMemoryHandle, offset: number]
  | undefined;

export interface SessionBinding {
  /** Loads the library once per process; later calls ignore their path. Its version. */
  openRuntime(control: JobControl, library: string): Promise<string>;
  createSession(
    control: JobControl,
    library: string,
    model: Uint8Array,
    threads: number,
    optimization: number,
    logSeverity: number,
    /** An execution provider as the library calls it, empty for the CPU, and its options. */
    provider: string,
    keys: readonly string[],
    values: readonly string[],
    /** Whose plugin computes larmor's operators, and whose stream a graph on CUDA runs on; undefined elsewhere. */
    cuda: CudaContextHandle | undefined,
  ): Promise<SessionDescription>;
  /** Why ONNX Runtime's CUDA provider cannot use a device; empty where it can. */
  cudaProviderFault(control: JobControl, library: string, device: number): Promise<string>;
  /**
   * Arrays and shapes in the order of the session's inputs, then outputs; undefined for outputs that are not wanted. Tensors on the session's
   * device stand for arrays.
   */
  bindSession(
    session: SessionHandle,
    arrays: readonly BoundArray[],
    shapes: readonly (readonly number[] | undefined)[],
  ): BindingHandle;
  /** `arrays` are those of `bindSession`. */
  runBinding(
    control: JobControl,
    session: SessionHandle,
    binding: BindingHandle,
    arrays: readonly BoundArray[],
  ): Promise<void>;
  /** Ends the run under way, with an error, at the next node of its graph. */
  terminateBinding(binding: BindingHandle): void;
  /** Closed at once; freed, off the event loop, as soon as no run uses it. */
  closeSession(control: JobControl, session: SessionHandle): Promise<void>;
}
