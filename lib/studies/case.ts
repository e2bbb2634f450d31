// One slice of a test under one mask: what reconstructions are given, and how their images are scored.

import type { ComplexArray, RealArray } from '../arrays/complex-array.js';
import { coilMagnitude, magnitude } from '../arrays/magnitude.js';
import { mapSupport } from '../arrays/map-support.js';
import { componentAt } from '../arrays/slices.js';
import { espirit } from '../calibration/espirit.js';
import type { RunOptions } from '../jobs.js';
import { centerCrop, evaluateVolume, type Metrics } from '../metrics/metrics.js';
import { EncodingOperator } from '../operators/encoding.js';
import { Fft2 } from '../operators/fft2.js';
import { Mask } from '../operators/mask.js';
import { createMask, type LineMask } from '../sampling/mask.js';
import type { TrainingConfig } from '../training/config.js';
import type { StudyTest } from './config.js';

/** The reference's maps come from the central so many lines of the full data. */
export const REFERENCE_LINES = 24;

/** Figures of merit of one image. */
export type Scores = Omit<Metrics, 'mse'>;

/** How the cases of a test are measured and scored. */
export interface CaseOptions extends Pick<StudyTest, 'reference' | 'crop'> {
  readonly calibration: TrainingConfig['calibration'];
  readonly undersampling: TrainingConfig['undersampling'];
}

/** A measured slice with its truth. */
export interface PreparedCase {
  /** [coil, ky, kx], zero where the mask is. */
  readonly kspace: ComplexArray;
  readonly mask: LineMask;
  /** [coil, y, x], of the measured samples alone. */
  readonly maps: ComplexArray;
  /** The magnitude that images are scored against: [y, x], cropped. */
  readonly reference: RealArray;
  /** What is scored of an image [y, x]: its magnitude, zero outside the maps where the reference is a combination by maps, cropped. */
  shown(image: ComplexArray): RealArray;
  score(image: ComplexArray): Scores;
}

/**
 * Undersamples a fully sampled slice [coil, ky, kx].
 *
 * @throws LarmorError as `createMask`, `espirit`; signal.reason when aborted.
 */
export async function prepareCase(
  full: ComplexArray,
  seed: number | readonly number[],
  { calibration, undersampling, reference: kind, crop }: CaseOptions,
  options: Pick<RunOptions, 'threads' | 'signal'> = {},
): Promise<PreparedCase> {
  const { type, acceleration, centerFraction } = undersampling;
  const mask = createMask({ type, acceleration, centerFraction, columns: full.shape[2], seed });
  const kspace = await new Mask(mask, full.shape).apply(full, options);
  const maps = componentAt((await espirit(kspace, { ...calibration, mask, ...options })).maps, 0);
  const cropped = (image: RealArray): RealArray => (crop ? centerCrop(image, crop) : image);
  const inside = kind === 'sense' ? await mapSupport(maps) : undefined;
  const reference = cropped(
    await (kind === 'sense' ? combined(full, calibration, options) : rootSumOfSquares(full, options)),
  );
  const shown = (image: ComplexArray): RealArray => {
    const whole = magnitude(image);
    if (inside) for (let i = 0; i < whole.data.length; i += 1) whole.data[i] *= inside[i];
    return cropped(whole);
  };
  return {
    kspace,
    mask,
    maps,
    reference,
    shown,
    score(image) {
      const { ssim, ssimMatched, psnr, nmse } = evaluateVolume(reference, shown(image));
      return { ssim, ssimMatched, psnr, nmse };
    },
  };
}

/** |sum over coils of conj(S) x| of the full data, by maps from its own centre. */
async function combined(
  full: ComplexArray,
  calibration: TrainingConfig['calibration'],
  options: Pick<RunOptions, 'threads' | 'signal'>,
): Promise<RealArray> {
  const maps = componentAt(
    (await espirit(full, { ...calibration, calibrationSize: REFERENCE_LINES, ...options })).maps,
    0,
  );
  const columns = full.shape[2];
  const everything = { data: new Uint8Array(columns).fill(1), shape: [columns] } as const;
  return magnitude(await new EncodingOperator({ maps, mask: everything }).adjoint(full, options));
}

async function rootSumOfSquares(full: ComplexArray, options: RunOptions): Promise<RealArray> {
  const [coils, ...shape] = full.shape;
  return { data: coilMagnitude((await new Fft2(full.shape).adjoint(full, options)).data, coils), shape };
}
