// What GRAPPA and SPIRiT have in common: options, their checks, warnings.
import type { ComplexArray } from '../arrays/complex-array.js';
import type { NeighbourArguments } from '../bindings/calibration.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, threadCount } from '../jobs.js';
import { expectKspace } from '../sampling/kspace.js';
import type { SamplingMask } from '../sampling/mask.js';
import { accelerationWarnings, type CalibrationRegion } from './calibration-data.js';

const LONGEST_KERNEL = 16; // samples along a side: kLongestWindow
const DEFAULT_KERNEL = 5;

/** Extent of a window in k-space: samples along both axes, or along ky and kx. An even side reaches one sample further back than ahead. */
export type KernelSize = number | readonly [ky: number, kx: number];

/** What can be chosen about methods that fill k-space from neighbouring samples. */
export interface NeighbourOptions {
  /** Which samples of k-space were measured. Without it: the positions at which some coil is not zero. */
  readonly mask?: SamplingMask | undefined;
  /** Window around a missing sample, sides from 1 to 16. Default 5. */
  readonly kernel?: KernelSize | undefined;
  /** Tikhonov weight of the calibration, positive; relative to the mean size of its normal matrix. Default 0.01. */
  readonly lambda?: number | undefined;
  /** Fully sampled block to calibrate on. Default: the largest around the centre. */
  readonly calibration?: CalibrationRegion | undefined;
}

/** What a kernel's size must be. */
export const KERNEL_WANTED = `an integer from 1 to ${LONGEST_KERNEL}, or two for ky and kx`;

/** Whether a value can be the size of a kernel. */
export function isKernelSize(value: unknown): value is KernelSize {
  const fits = (n: unknown): boolean => Number.isInteger(n) && (n as number) >= 1 && (n as number) <= LONGEST_KERNEL;
  return Array.isArray(value) ? value.length === 2 && value.every(fits) : fits(value);
}

/** Bytes of the matrix of products of all pairs of entries of the kernel in all coils, from which weights are calibrated. */
export function calibrationBytes(coils: number, kernel: KernelSize = DEFAULT_KERNEL): number {
  const [rows, columns] = typeof kernel === 'number' ? [kernel, kernel] : kernel;
  return 16 * (coils * rows * columns) ** 2;
}

function regionArgument(who: string, region: CalibrationRegion, ny: number, nx: number): Uint32Array {
  const { row, rows, column, columns } = region;
  const numbers = [row, rows, column, columns];
  if (!numbers.every((n) => Number.isInteger(n) && n >= 0) || row + rows > ny || column + columns > nx)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `${who}: calibration must be a block { row, rows, column, columns } of k-space [${ny},${nx}], got ${JSON.stringify(region)}`,
    );
  return Uint32Array.from(numbers);
}

/** The first four of these, [row, rows, column, columns], with names. */
export function regionOf([row, rows, column, columns]: Float64Array): CalibrationRegion {
  return { row, rows, column, columns };
}

/** Checks everything that can be checked before work begins. */
export function neighbourArguments(
  who: string,
  kspace: ComplexArray,
  options: NeighbourOptions & RunOptions,
): { readonly args: NeighbourArguments; readonly threads: number } {
  const { mask, kernel = DEFAULT_KERNEL, lambda = 0.01, calibration } = options;
  const threads = threadCount(options);
  const [coils, ny, nx] = expectKspace(who, kspace, mask);
  if (!isKernelSize(kernel))
    throw new LarmorError('ERR_ARGUMENT', `${who}: kernel must be ${KERNEL_WANTED}, got ${JSON.stringify(kernel)}`);
  const [rows, columns] = typeof kernel === 'number' ? [kernel, kernel] : kernel;
  if (!(lambda > 0 && Number.isFinite(lambda)))
    throw new LarmorError('ERR_ARGUMENT', `${who}: lambda must be a positive number, got ${lambda}`);
  const region = calibration && regionArgument(who, calibration, ny, nx);
  const lines = mask?.shape.length === 1;
  return { args: [kspace.data, coils, ny, nx, mask?.data, lines, region, rows, columns, lambda], threads };
}

/** What to expect of k-space [coil, ky, kx] of which so many positions are missing. */
export function neighbourWarnings([coils, ny, nx]: readonly number[], missing: number): string[] {
  const acceleration = (ny * nx) / (ny * nx - missing);
  return accelerationWarnings(acceleration, coils, 'neighbours cannot determine all missing samples');
}
