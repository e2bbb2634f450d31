// The only door to the addon: loads it and declares the types of its functions.
import { createRequire } from 'node:module';
import type { CalibrationBinding } from './bindings/calibration.js';
import type { CoilBinding } from './bindings/coils.js';
import type { CudaBinding } from './bindings/cuda.js';
import type { DeviceBinding } from './bindings/device.js';
import type { ImageBinding } from './bindings/images.js';
import type { SessionBinding } from './bindings/sessions.js';
import type { SolverBinding } from './bindings/solvers.js';
import { LarmorError } from './errors.js';
import { packageRoot } from './package-root.js';

/** `[cancel, done]`: JavaScript sets the first word to stop a job, the job counts its steps in the second. */
export type JobControl = Int32Array;

/** What the encoding functions take after their control words. */
export type EncodingArguments = [
  sets: number,
  coils: number,
  ny: number,
  nx: number,
  maps: Float32Array,
  mask: Float32Array,
  input: Float32Array,
  output: Float32Array,
  threads: number,
];

/** The addon's functions. Those that take a `JobControl` return at once and settle off the event loop. */
export interface Binding
  extends CalibrationBinding,
    CoilBinding,
    CudaBinding,
    DeviceBinding,
    ImageBinding,
    SessionBinding,
    SolverBinding {
  // native/addon/encoding.cc
  /** kspace [coil, y, x] = M F (S x), maps [set, coil, y, x], x [set, y, x], mask [x] or [y, x] as weights. */
  encodeForward(control: JobControl, ...rest: EncodingArguments): Promise<void>;
  /** x = Sᴴ Fᴴ M kspace: input is kspace. */
  encodeAdjoint(control: JobControl, ...rest: EncodingArguments): Promise<void>;
  /** y = Aᴴ A x. Output may be input. */
  encodeNormal(control: JobControl, ...rest: EncodingArguments): Promise<void>;
  /** output [coil, point] = sum over sets of maps [set, coil, point] x [set, point]. */
  multiplyMaps(
    control: JobControl,
    sets: number,
    coils: number,
    points: number,
    maps: Float32Array,
    x: Float32Array,
    output: Float32Array,
    threads: number,
  ): Promise<void>;
  /** output [set, point] = sum over coils of conj(maps [set, coil, point]) y [coil, point]. */
  combineCoils(
    control: JobControl,
    sets: number,
    coils: number,
    points: number,
    maps: Float32Array,
    y: Float32Array,
    output: Float32Array,
    threads: number,
  ): Promise<void>;
  /** output [coil, point] = mask [point] y [coil, point]. Output may be y. */
  applyMask(
    control: JobControl,
    coils: number,
    points: number,
    mask: Float32Array,
    y: Float32Array,
    output: Float32Array,
    threads: number,
  ): Promise<void>;

  // native/addon/fft.cc
  /** Centred unitary transforms of `batch` complex images [ny, nx]. Output may be input. */
  fft2(
    control: JobControl,
    inverse: boolean,
    batch: number,
    ny: number,
    nx: number,
    input: Float32Array,
    output: Float32Array,
    threads: number,
  ): Promise<void>;

  /** Centred unitary transforms along n of `batch` complex arrays [n, columns]. Output may be input. */
  fft1(
    control: JobControl,
    inverse: boolean,
    batch: number,
    n: number,
    columns: number,
    input: Float32Array,
    output: Float32Array,
    threads: number,
  ): Promise<void>;

  // native/addon/finite.cc
  /** Index of the first NaN or infinity, or -1. */
  firstNonFinite(data: Float32Array): number;

  // native/addon/machine.cc
  /** Bytes read and written per second by a copy of so many bytes. */
  copyBandwidth(control: JobControl, bytes: number, threads: number): Promise<number>;
  /** Floating-point operations per second of multiply-adds in registers. */
  multiplyAddPeak(control: JobControl, threads: number): Promise<number>;
  // native/addon/memory.cc
  /** Memory aligned to 64 bytes; unless zeroed, it must be written whole before anyone sees it. */
  allocate(bytes: number, zeroed: boolean): ArrayBuffer;

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
  /** ||x||_2. */
  parameterNorm(control: JobControl, x: Float32Array, threads: number): Promise<number>;
  /** y = keep y + add x; x may be y. */
  blendParameters(
    control: JobControl,
    keep: number,
    y: Float32Array,
    add: number,
    x: Float32Array,
    threads: number,
  ): Promise<void>;
  /** y += rate (x - y). */
  approachParameters(
    control: JobControl,
    rate: number,
    y: Float32Array,
    x: Float32Array,
    threads: number,
  ): Promise<void>;

  // native/addon/platform.cc
  platform(): { isa: 'baseline' | 'avx2' | 'avx512'; threads: number };
}

const loader: { (root: string): unknown; path(root: string): string } = createRequire(import.meta.url)(
  'node-gyp-build',
);

/** Path of the addon that was loaded. */
export function addonPath(): string {
  return loader.path(packageRoot);
}

function load(): Binding {
  try {
    return loader(packageRoot) as Binding;
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
