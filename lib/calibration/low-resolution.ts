// Coil sensitivities as the ratio of low-resolution images, from the fully sampled centre of k-space.
import { type ComplexArray, complexUninitialised, type RealArray, realZeros } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import {
  type CalibrationSource,
  type CoilSensitivities,
  describeFindings,
  expectFraction,
  expectSource,
} from './calibration-data.js';

/** What can be chosen about low-resolution maps. */
export interface LowResolutionOptions extends CalibrationSource {
  /** Maps are zero where the root sum of squares of the images is not above this share of its largest. Default 0.05. */
  readonly crop?: number | undefined;
}

/** Low-resolution maps: one set. */
export interface LowResolutionMaps extends CoilSensitivities {
  /** Root sum of squares of the low-resolution images relative to its largest: [y, x]. */
  readonly magnitude: RealArray;
}

/**
 * Coil sensitivities S_c = m_c / sqrt(sum over coils of |m_c|^2), where m_c is the coil's image of the fully sampled centre alone, weighted
 * by a Hann window in both directions so that edges do not ring.
 *
 * Takes any centre of 2 x 2 samples or more and a hundredth of ESPIRiT's time, but is blind to whatever varies within one of its large
 * pixels: at edges and in dark places the maps are wrong. Where the centre is as large as ESPIRiT needs, ESPIRiT is better.
 *
 * Shapes: kspace [coil, ky, kx], undersampled or not, in any unit; maps [1, coil, y, x]. Their phase is relative to the strongest
 * principal coil. The same for any number of threads.
 *
 * @throws LarmorError as `espirit`.
 * @see McKenzie et al., Magn Reson Med 2002;47:529-538.
 * @example const { maps } = await lowResolutionMaps(kspace, { mask });
 */
export async function lowResolutionMaps(
  kspace: ComplexArray,
  options: LowResolutionOptions & RunOptions = {},
): Promise<LowResolutionMaps> {
  const { crop = 0.05 } = options;
  const threads = threadCount(options);
  const { coils, matrix, args } = expectSource('lowResolutionMaps', kspace, options);
  expectFraction('lowResolutionMaps', 'crop', crop);
  const [ny, nx] = matrix;
  const maps = complexUninitialised([1, coils, ny, nx]);
  const magnitude = realZeros([ny, nx]);
  const findings = await runJob(1, options, (control) =>
    binding.lowResolutionMaps(control, ...args, crop, ny, nx, maps.data, magnitude.data, threads),
  );
  return { maps, magnitude, ...describeFindings(findings) };
}
