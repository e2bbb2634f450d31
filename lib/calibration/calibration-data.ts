// What every way to coil sensitivities takes and gives: k-space with a fully sampled centre in, maps and what they rest on out.
import type { ComplexArray } from '../arrays/complex-array.js';
import type { CalibrationArguments, CalibrationFindings } from '../bindings/calibration.js';
import { LarmorError } from '../errors.js';
import { expectKspace } from '../sampling/kspace.js';
import type { SamplingMask } from '../sampling/mask.js';

const MAX_CALIBRATION_SIZE = 256; // maps are smooth: a larger centre costs time and memory and adds nothing

/** A block of k-space; `row` and `column` are its first. */
export interface CalibrationRegion {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

/** Where maps are estimated from, and at which pixels. */
export interface CalibrationSource {
  /** Which samples of k-space were measured. Without it: the positions at which some coil is not zero. */
  readonly mask?: SamplingMask | undefined;
  /** Largest side of the calibration region, in samples. Default 24. */
  readonly calibrationSize?: number | undefined;
  /** Pixels [y, x] of the maps, which show the field of view of k-space whatever their number. Default: those of k-space. */
  readonly matrix?: readonly [number, number] | undefined;
}

/** Maps, and what they rest on. */
export interface CoilSensitivities {
  /** [set, coil, y, x]: of norm 1 over the coils inside the object, zero outside; phase relative to the strongest principal coil. */
  readonly maps: ComplexArray;
  /** The samples used. */
  readonly calibration: CalibrationRegion;
  /** The crop used: the one asked for, or found. */
  readonly crop: number;
  /**
   * Share of the calibration data's energy that no image under these maps explains, ||x - S S^H x||^2 / ||x||^2 with x the coil images
   * of the calibration region: what the maps lack inside the object and what lies outside their crop.
   */
  readonly unexplained: number;
}

export function expectInteger(who: string, option: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 1 || value > most)
    throw new LarmorError('ERR_ARGUMENT', `${who}: ${option} must be an integer from 1 to ${most}, got ${value}`);
}

export function expectFraction(who: string, option: string, value: number): void {
  if (!(value >= 0 && value < 1))
    throw new LarmorError('ERR_ARGUMENT', `${who}: ${option} must be at least 0 and below 1, got ${value}`);
}

/** Sizes, checked, and what the binding's functions take first. */
export interface CheckedSource {
  readonly coils: number;
  readonly calibrationSize: number;
  readonly matrix: readonly [number, number];
  readonly args: CalibrationArguments;
}

/** @throws LarmorError `ERR_SHAPE`, `ERR_MASK`, `ERR_ARGUMENT`. */
export function expectSource(who: string, kspace: ComplexArray, options: CalibrationSource): CheckedSource {
  const [coils, ny, nx] = expectKspace(who, kspace, options.mask);
  const { mask, calibrationSize = 24, matrix = [ny, nx] } = options;
  expectInteger(who, 'calibrationSize', calibrationSize, MAX_CALIBRATION_SIZE);
  for (const side of matrix) expectInteger(who, 'each side of matrix', side, 2 ** 16);
  const lines = mask?.shape.length === 1;
  const args: CalibrationArguments = [kspace.data, coils, ny, nx, mask?.data, lines, calibrationSize, calibrationSize];
  return { coils, calibrationSize, matrix, args };
}

/** Whether, and why, so few samples are too few. Masks meet the acceleration they were drawn for only roughly, so it is rounded. */
export function accelerationWarnings(acceleration: number, coils: number, consequence: string): string[] {
  if (Math.round(acceleration) <= coils) return [];
  return [`acceleration ${acceleration.toFixed(1)} exceeds the number of coils, ${coils}: ${consequence}`];
}

/** The findings of the binding by name. */
export function describeFindings(findings: CalibrationFindings): Omit<CoilSensitivities, 'maps'> {
  const [row, rows, column, columns, crop, unexplained] = findings;
  return { calibration: { row, rows, column, columns }, crop, unexplained };
}
