// Types of the addon's functions on coils and their noise.
import type { JobControl } from '../binding.js';
import type { CalibrationArguments } from './calibration.js';

/** Functions of native/addon/coils.cc and native/addon/noise.cc. */
export interface CoilBinding {
  // native/addon/coils.cc
  /** [row, rows, column, columns] of the fully sampled centre of kspace [coil, y, x]; sides of 0 where even the centre is not sampled. */
  calibrationRegion(control: JobControl, ...args: CalibrationArguments): Promise<Uint32Array>;
  /** gram [coil, coil] = sum over a block of samples of y conj(y); rejects with ERR_NOT_FINITE. */
  coilGram(
    control: JobControl,
    kspace: Float32Array,
    coils: number,
    ny: number,
    nx: number,
    row: number,
    rows: number,
    column: number,
    columns: number,
    gram: Float64Array,
    threads: number,
  ): Promise<void>;
  /** Eigenvalues [n], largest first, and unit eigenvectors as rows [n, n]. */
  hermitianEigen(
    control: JobControl,
    n: number,
    matrix: Float64Array,
    values: Float64Array,
    vectors: Float64Array,
  ): Promise<void>;
  /** output [mixed, y, x] = matrix [mixed, coil] kspace; with `alongReadout` matrix [y, mixed, coil] acts in the image along y. */
  mixCoils(
    control: JobControl,
    mixed: number,
    kspace: Float32Array,
    coils: number,
    ny: number,
    nx: number,
    matrix: Float32Array,
    alongReadout: boolean,
    output: Float32Array,
    threads: number,
  ): Promise<void>;
  /** Fills the beginning of matrices [y, coil, coil] with [y, virtual coil, coil]; with 0 virtual coils as many as hold `energy`. */
  geometricCompression(
    control: JobControl,
    kspace: Float32Array,
    coils: number,
    ny: number,
    nx: number,
    column: number,
    columns: number,
    window: number,
    virtualCoils: number,
    energy: number,
    matrices: Float32Array,
    threads: number,
  ): Promise<[virtualCoils: number, keptEnergy: number]>;

  // native/addon/noise.cc
  /** Largest over smallest eigenvalue; infinite where covariance [n, n] is not positive definite. */
  noiseCondition(control: JobControl, n: number, covariance: Float64Array): Promise<number>;
  /** matrix [n, n] = s L^-1; rejects with ERR_NOISE. */
  whiteningMatrix(control: JobControl, n: number, covariance: Float64Array, matrix: Float32Array): Promise<void>;
  /** output [coil, point] = kspace plus the noise named by seed and replica, where kspace is not 0; rejects with ERR_NOISE. Output may be kspace. */
  addNoise(
    control: JobControl,
    coils: number,
    points: number,
    covariance: Float64Array,
    seed: number,
    replica: number,
    kspace: Float32Array,
    output: Float32Array,
    threads: number,
  ): Promise<void>;
  /** g [y, x] of whitened maps [coil, y, x] for pixels ny / ry and nx / rx apart. */
  senseGFactor(
    control: JobControl,
    coils: number,
    ny: number,
    nx: number,
    ry: number,
    rx: number,
    maps: Float32Array,
    g: Float32Array,
    threads: number,
  ): Promise<void>;
}
