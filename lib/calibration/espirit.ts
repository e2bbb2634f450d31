// Coil sensitivities from the fully sampled centre of k-space.
import {
  type ComplexArray,
  complexUninitialised,
  expectComplex,
  formatShape,
  type RealArray,
  realZeros,
} from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { expectMask, type SamplingMask } from '../sampling/mask.js';

const MAX_CALIBRATION_SIZE = 256; // maps are smooth: a larger centre costs time and memory and adds nothing

/** What can be chosen about ESPIRiT; the defaults are those of its authors' program. */
export interface EspiritOptions {
  /** Which samples of k-space were measured. Without it: the positions at which some coil is not zero. */
  readonly mask?: SamplingMask | undefined;
  /** Side of the square k-space patches, in samples. Default 6. */
  readonly kernel?: number | undefined;
  /** Largest side of the calibration region, in samples. Default 24. */
  readonly calibrationSize?: number | undefined;
  /**
   * Patch directions of less energy than this, relative to the strongest, count as noise: the square of the ratio of singular values.
   * Default 0.001, a ratio of about 0.03.
   */
  readonly threshold?: number | undefined;
  /** Maps are zero where the eigenvalue is not above this, from 0 to 1. Default 0.8. */
  readonly crop?: number | undefined;
  /** Sets of maps: eigenvectors kept per pixel. A second one helps where the object exceeds the field of view. Default 1. */
  readonly sets?: number | undefined;
  /** Power iterations per pixel at most. Default 30. */
  readonly iterations?: number | undefined;
}

/** A block of k-space; `row` and `column` are its first. */
export interface CalibrationRegion {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

/** What ESPIRiT found, and from which samples. */
export interface EspiritResult {
  /** [set, coil, y, x]: unit norm over the coils inside the object, zero outside; phase relative to the strongest principal coil. */
  readonly maps: ComplexArray;
  /** [set, y, x], from 0 to 1: near 1 where the maps explain the data. */
  readonly eigenvalues: RealArray;
  /** The samples used. */
  readonly calibration: CalibrationRegion;
}

function expectInteger(option: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new LarmorError('ERR_ARGUMENT', `espirit: ${option} must be an integer from 1 to ${most}, got ${value}`);
}

function expectFraction(option: string, value: number): void {
  if (!(value >= 0 && value < 1))
    throw new LarmorError('ERR_ARGUMENT', `espirit: ${option} must be at least 0 and below 1, got ${value}`);
}

/**
 * Coil sensitivities by ESPIRiT.
 *
 * The signal space of all k-space patches of the calibration region acts in the image as one small Hermitian matrix per pixel, of which the
 * sensitivities are the eigenvectors of eigenvalue 1.
 *
 * Shapes: kspace [coil, ky, kx], undersampled or not, in any unit. One coil gives a map of 1 on the object.
 * Accuracy: float32 maps from double-precision patches; the same for any number of threads.
 *
 * @throws LarmorError `ERR_SHAPE`, `ERR_ARGUMENT`, `ERR_MASK`; `ERR_NOT_FINITE` when kspace holds NaN or infinity; `ERR_CALIBRATION` when
 * the sampled centre is smaller than the kernel or holds only zeros. `signal.reason` when aborted.
 * @see Uecker et al., Magn Reson Med 2014;71:990-1001.
 * @example const { maps } = await espirit(kspace, { mask });
 */
export async function espirit(kspace: ComplexArray, options: EspiritOptions & RunOptions = {}): Promise<EspiritResult> {
  const { mask, kernel = 6, calibrationSize = 24, threshold = 0.001, crop = 0.8, sets = 1, iterations = 30 } = options;
  const threads = threadCount(options);
  if (kspace.shape.length !== 3 || kspace.shape.includes(0))
    throw new LarmorError(
      'ERR_SHAPE',
      `espirit: kspace must have shape [coil,ky,kx], none of them 0, got ${formatShape(kspace.shape)}`,
    );
  expectComplex('espirit', 'kspace', kspace, kspace.shape);
  const [coils, ny, nx] = kspace.shape;
  if (mask) expectMask('espirit', mask, ny, nx);
  expectInteger('calibrationSize', calibrationSize, MAX_CALIBRATION_SIZE);
  expectInteger('kernel', kernel, calibrationSize);
  expectInteger('sets', sets, coils);
  expectInteger('iterations', iterations, 10_000);
  expectFraction('threshold', threshold);
  expectFraction('crop', crop);

  const maps = complexUninitialised([sets, coils, ny, nx]);
  const eigenvalues = realZeros([sets, ny, nx]);
  const lines = mask?.shape.length === 1;
  const [row, rows, column, columns] = await runJob(binding.espiritSteps(ny), options, (control) =>
    binding.espirit(
      control,
      kspace.data,
      coils,
      ny,
      nx,
      mask?.data,
      lines,
      calibrationSize,
      calibrationSize,
      kernel,
      threshold,
      crop,
      sets,
      iterations,
      maps.data,
      eigenvalues.data,
      threads,
    ),
  );
  return { maps, eigenvalues, calibration: { row, rows, column, columns } };
}
