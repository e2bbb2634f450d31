// Coil sensitivities by ESPIRiT, from the fully sampled centre of k-space.
import { type ComplexArray, complexUninitialised, type RealArray, realZeros } from '../arrays/complex-array.js';
import { binding, type JobControl } from '../binding.js';
import type { CalibrationFindings } from '../bindings/calibration.js';
import type { CudaContextHandle } from '../bindings/cuda.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import {
  type CalibrationSource,
  type CoilSensitivities,
  describeFindings,
  expectFraction,
  expectInteger,
  expectSource,
} from './calibration-data.js';

/** Side of the patches where the centre is large enough. */
export const KERNEL = 6;

/** Bytes that ESPIRiT takes beside k-space and maps: a few matrices over the samples of a patch, in double precision. */
export function espiritBytes(coils: number): number {
  return 5 * 16 * (coils * KERNEL ** 2) ** 2;
}

export const MAP_WEIGHTINGS = ['hard', 'soft'] as const;

/** How maps end at the edge of the object. */
export type MapWeighting = (typeof MAP_WEIGHTINGS)[number];

/** What can be chosen about ESPIRiT; the defaults are those of its authors' program. */
export interface EspiritOptions extends CalibrationSource {
  /**
   * Side of the square k-space patches, in samples. Default 6, or half the smaller side of the calibration region where that is less: with
   * fewer than two kernels of centre lines the patches cannot tell signal from noise, and the maps are wrong.
   */
  readonly kernel?: number | undefined;
  /**
   * Patch directions of less energy than this, relative to the strongest, count as noise: the square of the ratio of singular values.
   * Default 0.001, a ratio of about 0.03.
   */
  readonly threshold?: number | undefined;
  /**
   * Maps are zero where the eigenvalue is not above this, from 0 to 1. `auto`: Otsu's threshold of sqrt(1 - eigenvalue) of the first set,
   * the share of a pixel's amplitude that is not consistent with the calibration data. Default 0.8.
   */
  readonly crop?: number | 'auto' | undefined;
  /**
   * `hard`: maps of norm 1, cut off at the crop. `soft`: their norm falls smoothly from 1 at eigenvalue 1 through 1/2 where the root of the
   * eigenvalue is the crop. Default hard.
   */
  readonly weighting?: MapWeighting | undefined;
  /** Sets of maps: eigenvectors kept per pixel. A second one helps where the object exceeds the field of view. Default 1. */
  readonly sets?: number | undefined;
  /** Power iterations per pixel at most. Default 30. */
  readonly iterations?: number | undefined;
}

/** What ESPIRiT found, and from which samples. */
export interface EspiritResult extends CoilSensitivities {
  /** [set, y, x], from 0 to 1: near 1 where the maps explain the data. */
  readonly eigenvalues: RealArray;
  /** Side of the patches used. */
  readonly kernel: number;
  /**
   * Share of the pixels, on a grid of at most 48 x 48, whose second eigenvalue is above 0.95: there two parts of the object lie on each
   * other, because it exceeds the field of view, and one set of maps cannot tell them apart.
   */
  readonly folded: number;
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
 * @see Uecker et al., Magn Reson Med 2014;71:990-1001 (also for soft weights); Otsu, IEEE Trans Syst Man Cybern 1979;9:62-66.
 * @example const { maps } = await espirit(kspace, { mask, crop: 'auto' });
 */
export function espirit(kspace: ComplexArray, options: EspiritOptions & RunOptions = {}): Promise<EspiritResult> {
  return espiritBy((steps, start) => runJob(steps, options, (control) => start(control, undefined)), kspace, options);
}

/** Runs the job, which counts steps, with a device's context or without. */
export type EspiritRunner = (
  steps: number,
  start: (control: JobControl, context: CudaContextHandle | undefined) => Promise<CalibrationFindings>,
) => Promise<CalibrationFindings>;

/** As `espirit`, the job being run by `run`: for devices. */
export async function espiritBy(
  run: EspiritRunner,
  kspace: ComplexArray,
  options: EspiritOptions & RunOptions,
): Promise<EspiritResult> {
  const { kernel = KERNEL, threshold = 0.001, crop = 0.8, weighting = 'hard', sets = 1, iterations = 30 } = options;
  const threads = threadCount(options);
  const { coils, calibrationSize, matrix, args } = expectSource('espirit', kspace, options);
  expectInteger('espirit', 'kernel', kernel, calibrationSize);
  expectInteger('espirit', 'sets', sets, coils);
  expectInteger('espirit', 'iterations', iterations, 10_000);
  expectFraction('espirit', 'threshold', threshold);
  if (crop !== 'auto') expectFraction('espirit', 'crop', crop);
  if (!MAP_WEIGHTINGS.includes(weighting))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `espirit: weighting must be one of ${MAP_WEIGHTINGS.join(', ')}, got ${weighting}`,
    );
  const [ny, nx] = matrix;
  const maps = complexUninitialised([sets, coils, ny, nx]);
  const eigenvalues = realZeros([sets, ny, nx]);
  const findings = await run(binding.espiritSteps(ny), (control, context) =>
    binding.espirit(
      control,
      ...args,
      kernel,
      options.kernel === undefined,
      threshold,
      sets,
      iterations,
      crop === 'auto' ? undefined : crop,
      weighting === 'soft',
      ny,
      nx,
      maps.data,
      eigenvalues.data,
      threads,
      context,
    ),
  );
  return { maps, eigenvalues, kernel: findings[6], folded: findings[7], ...describeFindings(findings) };
}
