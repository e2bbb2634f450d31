// Least squares with the encoding operator, each solve one job off the event loop.
import { type ComplexArray, complexUninitialised, expectComplex } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { mapSizes } from '../operators/coils.js';
import type { EncodingOptions } from '../operators/encoding.js';
import { maskWeights } from '../operators/mask.js';
import {
  expectIterationOptions,
  expectWeight,
  type IterationOptions,
  type SolverResult,
} from './conjugate-gradients.js';

/** What can be chosen about CG-SENSE. */
export interface CgSenseOptions extends IterationOptions, RunOptions {
  /**
   * Weight of ||x||^2. The eigenvalues of A^H A lie between 0 and 1, as maps are normalised, so this is relative to the data term whatever
   * their unit, as `-l2 -r` of BART's pics. Default 0.001.
   */
  readonly lambda?: number | undefined;
}

/** What can be chosen about the final data consistency. */
export interface DataConsistencyOptions extends RunOptions {
  /** Weight of ||x - image||^2 against the measured samples: 0 trusts the samples alone. Default 0.02. */
  readonly mu?: number | undefined;
  /** Iterations. Default 10. */
  readonly iterations?: number | undefined;
}

/** A solve from its options, with every default filled in. */
export type SenseSettings = RunOptions & { lambda: number; maxIterations: number; tolerance: number };

/** Of CG-SENSE, wherever it runs. */
export function cgSenseSettings(options: CgSenseOptions): SenseSettings {
  const { lambda = 0.001, maxIterations = 30, tolerance = 1e-6 } = options;
  return { ...options, lambda, maxIterations, tolerance };
}

/** Of data consistency, wherever it runs. */
export function dataConsistencySettings(options: DataConsistencyOptions): SenseSettings {
  const { mu = 0.02, iterations = 10 } = options;
  return { ...options, lambda: mu, maxIterations: iterations, tolerance: 1e-6 };
}

/**
 * CG-SENSE: the image x that minimises ||A x - kspace||^2 + lambda ||x||^2, by conjugate gradients from zero.
 *
 * Shapes: kspace [coil, ky, kx], of which samples outside the mask are ignored; maps [coil, y, x] or [set, coil, y, x];
 * x [y, x] or [set, y, x], in the units of kspace. Stopping early regularises too: the default is 30 iterations.
 *
 * @throws LarmorError `ERR_SHAPE`, `ERR_MASK`, `ERR_ARGUMENT`; `ERR_NOT_FINITE` when kspace or maps hold NaN or infinity; `ERR_DIVERGED`.
 *   `signal.reason` when aborted.
 * @see Pruessmann et al., Magn Reson Med 2001;46:638-651.
 * @example const { x } = await cgSense(kspace, { maps, mask });
 */
export function cgSense(
  kspace: ComplexArray,
  model: EncodingOptions,
  options: CgSenseOptions = {},
): Promise<SolverResult> {
  return solve('cgSense', kspace, model, undefined, cgSenseSettings(options));
}

/**
 * Brings an image into agreement with the measured samples: the x that minimises ||A x - kspace||^2 + mu ||x - image||^2, by conjugate
 * gradients from `image`. The last step after a network.
 *
 * Shapes and units as in `cgSense`; image has the shape of x.
 *
 * @throws LarmorError as `cgSense`.
 * @example const { x } = await dataConsistency(networkOutput, kspace, { maps, mask });
 */
export function dataConsistency(
  image: ComplexArray,
  kspace: ComplexArray,
  model: EncodingOptions,
  options: DataConsistencyOptions = {},
): Promise<SolverResult> {
  return solve('dataConsistency', kspace, model, image, dataConsistencySettings(options));
}

async function solve(
  who: string,
  kspace: ComplexArray,
  { maps, mask }: EncodingOptions,
  prior: ComplexArray | undefined,
  settings: SenseSettings,
): Promise<SolverResult> {
  const { lambda, maxIterations, tolerance } = settings;
  const { sets, coils, ny, nx, image, coilImages } = mapSizes(who, maps);
  const weights = maskWeights(who, mask, ny, nx);
  expectComplex(who, 'kspace', kspace, coilImages);
  if (prior) expectComplex(who, 'image', prior, image);
  expectIterationOptions(who, maxIterations, tolerance);
  expectWeight(who, prior ? 'mu' : 'lambda', lambda);
  const threads = threadCount(settings);
  const x = complexUninitialised(image);
  const [iterations, residual, converged] = await runJob(maxIterations, settings, (control) =>
    binding.cgSense(
      control,
      sets,
      coils,
      ny,
      nx,
      maps.data,
      weights,
      kspace.data,
      x.data,
      threads,
      prior?.data,
      lambda,
      maxIterations,
      tolerance,
    ),
  );
  return { x, iterations, residual, stop: converged ? 'tolerance' : 'iterations' };
}
