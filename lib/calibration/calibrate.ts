// Coil sensitivities by any method, with how far they can be trusted.
import type { ComplexArray, RealArray } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import type { CalibrationSource, CoilSensitivities } from './calibration-data.js';
import { type EspiritOptions, espirit } from './espirit.js';
import { lowResolutionMaps } from './low-resolution.js';

/** Every `MapMethod`. */
export const MAP_METHODS = ['espirit', 'low-resolution'] as const;

/** How coil sensitivities are estimated: `espirit`, or `lowResolutionMaps`. */
export type MapMethod = (typeof MAP_METHODS)[number];

/** What can be chosen about the coil sensitivities of a reconstruction. */
export interface CalibrationOptions extends Omit<EspiritOptions, 'mask' | 'matrix'> {
  /** Default: espirit. `low-resolution` takes `calibrationSize` and a number for `crop` only, and gives one set. */
  readonly method?: MapMethod | undefined;
}

/** Maps, what they rest on, and what is known of their quality. */
export interface Calibration extends CoilSensitivities {
  readonly method: MapMethod;
  /** Side of ESPIRiT's patches. */
  readonly kernel?: number | undefined;
  /** Share of the pixels on which two parts of the object lie, as `espirit` finds it. */
  readonly folded?: number | undefined;
  /** Share of the pixels where the first set is not zero. */
  readonly support: number;
  /** Share of those with an eigenvalue above 0.95, where the maps agree with the calibration data: of ESPIRiT. */
  readonly consistent?: number | undefined;
}

const CONSISTENT = 0.95;
const ESPIRIT_ONLY = ['kernel', 'threshold', 'sets', 'iterations', 'weighting'] as const;

/** The compiler keeps it complete. */
const OPTIONS: Record<keyof CalibrationOptions, true> = {
  method: true,
  calibrationSize: true,
  crop: true,
  kernel: true,
  threshold: true,
  sets: true,
  iterations: true,
  weighting: true,
};

/** @throws LarmorError `ERR_ARGUMENT` for an option that does not exist, or that the method does not take. */
export function expectCalibrationOptions(options: CalibrationOptions): void {
  const names = Object.keys(OPTIONS);
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new LarmorError('ERR_ARGUMENT', `calibration: an option must be one of ${names.join(', ')}, got ${unknown}`);
  const { method = 'espirit', crop } = options;
  if (!MAP_METHODS.includes(method))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `calibration: method must be one of ${MAP_METHODS.join(', ')}, got ${method}`,
    );
  if (method === 'espirit') return;
  const refused = ESPIRIT_ONLY.find((name) => options[name] !== undefined);
  if (refused !== undefined || crop === 'auto')
    throw new LarmorError(
      'ERR_ARGUMENT',
      `calibration: method ${method} takes calibrationSize and a number for crop only, got ${refused ?? 'crop "auto"'}`,
    );
}

/**
 * Estimates coil sensitivities from k-space [coil, ky, kx].
 *
 * @param estimate ESPIRiT itself, for devices.
 * @throws LarmorError as `espirit` and `lowResolutionMaps`; `ERR_ARGUMENT` for options that the method does not take.
 * @example const { maps, unexplained } = await calibrate(kspace, { mask, method: 'low-resolution' });
 */
export async function calibrate(
  kspace: ComplexArray,
  { signal, threads, onProgress, mask, matrix, ...options }: CalibrationOptions & CalibrationSource & RunOptions = {},
  estimate: typeof espirit = espirit,
): Promise<Calibration> {
  expectCalibrationOptions(options);
  const { method = 'espirit', crop, calibrationSize } = options;
  const source = { mask, matrix, calibrationSize, signal, threads, onProgress };
  if (method === 'low-resolution') {
    const number = crop === 'auto' ? undefined : crop;
    const { magnitude, ...estimated } = await lowResolutionMaps(kspace, { ...source, crop: number });
    return { method, ...estimated, support: shareAbove(magnitude, estimated.crop) };
  }
  const { eigenvalues, ...estimated } = await estimate(kspace, { ...options, ...source });
  const points = eigenvalues.data.length / eigenvalues.shape[0];
  const first = { data: eigenvalues.data.subarray(0, points), shape: eigenvalues.shape.slice(1) };
  const support = shareAbove(first, estimated.crop);
  const consistent = support > 0 ? shareAbove(first, Math.max(CONSISTENT, estimated.crop)) / support : 0;
  return { method, ...estimated, support, consistent };
}

function shareAbove({ data }: RealArray, bound: number): number {
  let count = 0;
  for (const value of data) if (value > bound) count += 1;
  return count / data.length;
}
