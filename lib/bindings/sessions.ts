// The addon's functions for ONNX Runtime's sessions (native/addon/session.cc).
import type { JobControl } from '../binding.js';
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
  ): Promise<SessionDescription>;
  /**
   * Arrays and shapes in the order of the session's inputs, then outputs; undefined for outputs that are not wanted. Tensors on the session's
   * device stand for arrays.
   */
  bindSession(
    session: SessionHandle,
    arrays: readonly (ArrayBufferView | DeviceTensorHandle | undefined)[],
    shapes: readonly (readonly number[] | undefined)[],
  ): BindingHandle;
  /** `arrays` are those of `bindSession`. */
  runBinding(
    control: JobControl,
    session: SessionHandle,
    binding: BindingHandle,
    arrays: readonly (ArrayBufferView | DeviceTensorHandle | undefined)[],
  ): Promise<void>;
  /** Ends the run under way, with an error, at the next node of its graph. */
  terminateBinding(binding: BindingHandle): void;
  /** Closed at once; freed, off the event loop, as soon as no run uses it. */
  closeSession(control: JobControl, session: SessionHandle): Promise<void>;
}
