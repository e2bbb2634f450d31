// The only door to the addon: loads it and declares the types of its functions.
import { createRequire } from 'node:module';
import { LarmorError } from './errors.js';
import { packageRoot } from './package-root.js';

/** `[cancel, done]`: JavaScript sets the first word to stop a job, the job counts its steps in the second. */
export type JobControl = Int32Array;

/** The addon's functions. Those that take a `JobControl` return at once and settle off the event loop. */
export interface Binding {
  // native/addon/memory.cc
  /** Zeroed memory aligned to 64 bytes. */
  allocate(bytes: number): ArrayBuffer;

  // native/addon/optimiser.cc
  /**
   * One Adam update, rounded as PyTorch's, of the elements in `ranges` (ascending pairs of begin and end); `step` is 1 for the first.
   * Rejects with ERR_DIVERGED, having changed nothing, when a gradient of those elements is not finite.
   */
  adamStep(
    control: JobControl,
    parameters: Float32Array,
    gradients: Float32Array,
    firstMoments: Float32Array,
    secondMoments: Float32Array,
    ranges: Uint32Array,
    step: number,
    learningRate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    threads: number,
  ): Promise<void>;

  // native/addon/platform.cc
  platform(): { isa: 'baseline' | 'avx2' | 'avx512'; threads: number };

  // native/addon/session.cc
  /** Loads the library once per process; later calls ignore their path. Its version. */
  openRuntime(control: JobControl, library: string): Promise<string>;
  createSession(
    control: JobControl,
    library: string,
    model: Uint8Array,
    threads: number,
    optimization: number,
    logSeverity: number,
  ): Promise<SessionDescription>;
  /** Arrays and shapes in the order of the session's inputs, then outputs; undefined for outputs that are not wanted. */
  bindSession(
    session: SessionHandle,
    arrays: readonly (ArrayBufferView | undefined)[],
    shapes: readonly (readonly number[] | undefined)[],
  ): BindingHandle;
  /** `arrays` are those of `bindSession`. */
  runBinding(
    control: JobControl,
    session: SessionHandle,
    binding: BindingHandle,
    arrays: readonly (ArrayBufferView | undefined)[],
  ): Promise<void>;
  /** Ends the run under way, with an error, at the next node of its graph. */
  terminateBinding(binding: BindingHandle): void;
  closeSession(session: SessionHandle): void;
}

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

function load(): Binding {
  try {
    return createRequire(import.meta.url)('node-gyp-build')(packageRoot) as Binding;
  } catch (cause) {
    throw new LarmorError(
      'ERR_NATIVE_MISSING',
      `larmor: no native addon for ${process.platform}-${process.arch} in ${packageRoot}. ` +
        'Run "npm rebuild larmor", or "npm run build:native" in a clone (both need a C++20 compiler and Python 3).',
      { cause },
    );
  }
}

export const binding: Binding = load();
