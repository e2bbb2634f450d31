// Missing samples of k-space from their measured neighbours, with weights calibrated on the sampled centre.
import { type ComplexArray, complexUninitialised } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { type RunOptions, runJob } from '../jobs.js';
import type { CalibrationRegion } from './calibration-data.js';
import { type NeighbourOptions, neighbourArguments, neighbourWarnings, regionOf } from './neighbours.js';

/** What can be chosen about GRAPPA. */
export type GrappaOptions = NeighbourOptions;

/** Filled k-space, and how it came about. */
export interface GrappaResult {
  /** [coil, ky, kx]: measured samples bit by bit as they were, missing ones filled. */
  readonly kspace: ComplexArray;
  /** Distinct ways in which the windows around missing samples are sampled: so many sets of weights were calibrated. */
  readonly patterns: number;
  /** Missing positions whose window holds no sample: they stay zero. */
  readonly unfilled: number;
  /** The samples calibrated on; undefined where nothing was missing. */
  readonly calibration: CalibrationRegion | undefined;
  /** What makes the result doubtful, in words. */
  readonly warnings: readonly string[];
}

/**
 * Fills k-space by GRAPPA, for any sampling mask.
 *
 * Every missing sample is a linear combination of the measured samples of all coils in a window around it. For each way in which such a
 * window is sampled, the weights are those that explain the centres of all windows of the calibration region best:
 * (Sᴴ S + λ I)⁻¹ Sᴴ T, where λ is `lambda` times the Frobenius norm of Sᴴ S over its side. K-space and region continue with zeros.
 *
 * Shapes: kspace [coil, ky, kx], in any unit. Accuracy: double-precision calibration, float32 sums; the same for any number of threads.
 *
 * @throws LarmorError `ERR_SHAPE`, `ERR_ARGUMENT`, `ERR_MASK`; `ERR_NOT_FINITE` when kspace holds NaN or infinity; `ERR_CALIBRATION` when
 * the sampled centre is smaller than the kernel, holds only zeros or does not determine the weights. `signal.reason` when aborted.
 * @see Griswold et al., Magn Reson Med 2002;47:1202-1210.
 * @example const { kspace: filled } = await grappa(kspace, { mask });
 */
export async function grappa(kspace: ComplexArray, options: GrappaOptions & RunOptions = {}): Promise<GrappaResult> {
  const { args, threads } = neighbourArguments('grappa', kspace, options);
  const filled = complexUninitialised(kspace.shape);
  const numbers = await runJob(binding.grappaSteps, options, (control) =>
    binding.grappa(control, ...args, filled.data, threads),
  );
  const [missing, patterns, unfilled] = numbers.subarray(4);
  const warnings = neighbourWarnings(kspace.shape, missing);
  if (unfilled > 0)
    warnings.push(`${unfilled} missing samples have no measured neighbour within the kernel and stay zero: enlarge it`);
  return { kspace: filled, patterns, unfilled, calibration: missing > 0 ? regionOf(numbers) : undefined, warnings };
}
