// Types of the addon's functions that learn from fully sampled k-space: coil sensitivities, and samples from their neighbours.
import type { JobControl } from '../binding.js';
import type { CudaContextHandle } from './cuda.js';

/** What the functions that fill k-space from its neighbours take after their control words. */
export type NeighbourArguments = [
  kspace: Float32Array,
  coils: number,
  ny: number,
  nx: number,
  mask: Uint8Array | undefined,
  maskIsLines: boolean,
  /** [row, rows, column, columns] to calibrate on; without it the largest sampled block around the centre. */
  region: Uint32Array | undefined,
  kernelRows: number,
  kernelColumns: number,
  lambda: number,
];

/** What estimates of coil sensitivities start from. */
export type CalibrationArguments = [
  kspace: Float32Array,
  coils: number,
  ny: number,
  nx: number,
  mask: Uint8Array | undefined,
  maskIsLines: boolean,
  maxRows: number,
  maxColumns: number,
];

/** [row, rows, column, columns, crop, unexplained, kernel, folded]; the last two are 0 where they are not known. */
export type CalibrationFindings = Float64Array;

/** Functions of native/addon/calibration.cc and native/addon/neighbours.cc. */
export interface CalibrationBinding {
  // native/addon/calibration.cc
  /** Fills maps [set, coil, y, x] and eigenvalues [set, y, x], on a device where its context is given; a kernel that may shrink is at most half the region's smaller side; without a crop it is found. */
  espirit(
    control: JobControl,
    ...rest: [
      ...calibration: CalibrationArguments,
      kernel: number,
      mayShrink: boolean,
      threshold: number,
      sets: number,
      iterations: number,
      crop: number | undefined,
      soft: boolean,
      outNy: number,
      outNx: number,
      maps: Float32Array,
      eigenvalues: Float32Array,
      threads: number,
      context: CudaContextHandle | undefined,
    ]
  ): Promise<CalibrationFindings>;
  /** Fills maps [coil, y, x] and values [y, x], the coils' root sum of squares relative to its largest. */
  lowResolutionMaps(
    control: JobControl,
    ...rest: [
      ...calibration: CalibrationArguments,
      crop: number,
      outNy: number,
      outNx: number,
      maps: Float32Array,
      values: Float32Array,
      threads: number,
    ]
  ): Promise<CalibrationFindings>;
  /** What `espirit` counts up to for images of ny rows. */
  espiritSteps(ny: number): number;
  /** Brightness of the image behind kspace [coil, y, x]. */
  dataScale(
    control: JobControl,
    kspace: Float32Array,
    coils: number,
    ny: number,
    nx: number,
    mask: Uint8Array,
    maskIsLines: boolean,
    threads: number,
  ): Promise<number>;

  // native/addon/neighbours.cc
  /**
   * Fills output [coil, ky, kx]; counts up to `grappaSteps`. [row, rows, column, columns] of the calibration region, zeros where nothing is
   * missing, then missing, patterns, unfilled.
   */
  grappa(
    control: JobControl,
    ...rest: [...NeighbourArguments, output: Float32Array, threads: number]
  ): Promise<Float64Array>;
  readonly grappaSteps: number;
  /**
   * Fills output [coil, ky, kx]; counts up to `spiritSteps`. [row, rows, column, columns] of the calibration region, zeros where nothing is
   * missing, then missing, iterations, relative residual, and 1 where the tolerance was met.
   */
  spirit(
    control: JobControl,
    ...rest: [
      ...NeighbourArguments,
      regularisation: number,
      iterations: number,
      tolerance: number,
      output: Float32Array,
      threads: number,
    ]
  ): Promise<Float64Array>;
  readonly spiritSteps: number;
}
