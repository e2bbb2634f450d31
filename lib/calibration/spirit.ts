// SPIRiT: missing samples of k-space from its consistency with itself, by conjugate gradients.
import { type ComplexArray, complexUninitialised } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { type RunOptions, runJob } from '../jobs.js';
import {
  expectIterationOptions,
  expectWeight,
  type IterationOptions,
  type SolverResult,
} from '../solvers/conjugate-gradients.js';
import type { CalibrationRegion } from './calibration-data.js';
import { type NeighbourOptions, neighbourArguments, neighbourWarnings, regionOf } from './neighbours.js';

/** What can be chosen about SPIRiT; of its solver, the defaults are 50 iterations and a tolerance of 1e-3. */
export interface SpiritOptions extends NeighbourOptions, IterationOptions {
  /** Weight of the energy of the missing samples, beside a self-consistency whose operator has eigenvalues of about 1. Default 0.002. */
  readonly regularisation?: number | undefined;
}

/** Filled k-space, and how the solver ended. */
export interface SpiritResult {
  /** [coil, ky, kx]: measured samples bit by bit as they were, missing ones filled. */
  readonly kspace: ComplexArray;
  /** Where the mask holds whole columns the rows of the image are solved apart: then of those that took longest. */
  readonly solver: Omit<SolverResult, 'x'>;
  /** The samples calibrated on; undefined where nothing was missing. */
  readonly calibration: CalibrationRegion | undefined;
  /** What makes the result doubtful, in words. */
  readonly warnings: readonly string[];
}

/**
 * Fills k-space by SPIRiT, for any sampling mask.
 *
 * G predicts every sample from its neighbours in all coils, with the weights that explain the calibration region best. The missing samples
 * x minimise ||(G - I) k||^2 + regularisation ||x||^2, where k holds them and the measured ones, which stay as they are.
 *
 * Shapes: kspace [coil, ky, kx], in any unit. Accuracy: double-precision calibration, float32 iteration; the same for any number of
 * threads. Memory: coils^2 floats per pixel, unless the mask holds whole columns.
 *
 * @throws LarmorError `ERR_SHAPE`, `ERR_ARGUMENT`, `ERR_MASK`; `ERR_NOT_FINITE` when kspace holds NaN or infinity; `ERR_CALIBRATION` when
 * the sampled centre is smaller than the kernel, holds only zeros or does not determine the weights; `ERR_DIVERGED`. `signal.reason` when
 * aborted.
 * @see Lustig & Pauly, Magn Reson Med 2010;64:457-471.
 * @example const { kspace: filled, solver } = await spirit(kspace, { mask });
 */
export async function spirit(kspace: ComplexArray, options: SpiritOptions & RunOptions = {}): Promise<SpiritResult> {
  const { regularisation = 0.002, maxIterations = 50, tolerance = 1e-3 } = options;
  const { args, threads } = neighbourArguments('spirit', kspace, options);
  expectIterationOptions('spirit', maxIterations, tolerance);
  expectWeight('spirit', 'regularisation', regularisation);
  const filled = complexUninitialised(kspace.shape);
  const numbers = await runJob(binding.spiritSteps, options, (control) =>
    binding.spirit(control, ...args, regularisation, maxIterations, tolerance, filled.data, threads),
  );
  const [missing, iterations, residual, converged] = numbers.subarray(4);
  return {
    kspace: filled,
    solver: { iterations, residual, stop: converged ? 'tolerance' : 'iterations' },
    calibration: missing > 0 ? regionOf(numbers) : undefined,
    warnings: neighbourWarnings(kspace.shape, missing),
  };
}
