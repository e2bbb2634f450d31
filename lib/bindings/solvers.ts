// Types of the addon's functions that solve for an image.
import type { EncodingArguments, JobControl } from '../binding.js';

/** How a proximal gradient solve ended; change is ||x - previous x|| / ||x||. */
export type ProximalOutcome = [
  iterations: number,
  change: number,
  converged: boolean,
  restarts: number,
  objective: number,
];

/** Functions of native/addon/proximal.cc and native/addon/solvers.cc. */
export interface SolverBinding {
  // native/addon/proximal.cc
  /** Coefficients of `batch` complex images [ny, nx], or the images of coefficients. */
  wavelet(
    control: JobControl,
    inverse: boolean,
    batch: number,
    ny: number,
    nx: number,
    haar: boolean,
    levels: number,
    coarsest: number,
    input: Float32Array,
    output: Float32Array,
    threads: number,
  ): Promise<void>;
  /**
   * x [set, y, x] minimises 1/2 ||A x - kspace||^2 + weight ||W x||_1 (input is kspace, output x); a seed displaces W at random in every
   * iteration. Counts iterations.
   */
  l1Wavelet(
    control: JobControl,
    ...rest: [
      ...EncodingArguments,
      iterations: number,
      tolerance: number,
      weight: number,
      seed: number | undefined,
      haar: boolean,
      levels: number,
      coarsest: number,
    ]
  ): Promise<ProximalOutcome>;
  /** The same for weight times the isotropic total variation of every set. */
  totalVariation(
    control: JobControl,
    ...rest: [...EncodingArguments, iterations: number, tolerance: number, weight: number]
  ): Promise<ProximalOutcome>;
  /**
   * The same for the sum of nuclear norms of blocks across the images of x [frame, set, y, x]; maps [frame, set, coil, y, x] and
   * mask [frame, (y,) x] may be those of one frame for all.
   */
  locallyLowRank(
    control: JobControl,
    frames: number,
    ...rest: [
      ...EncodingArguments,
      iterations: number,
      tolerance: number,
      weight: number,
      seed: number | undefined,
      block: number,
      maskIsLines: boolean,
    ]
  ): Promise<ProximalOutcome>;

  // native/addon/solvers.cc
  /**
   * x [set, y, x] minimises ||A x - kspace||^2 + lambda ||x - prior||^2 (input is kspace, output x), starting at `prior` or at zero.
   * Counts iterations; resolves to [iterations, relative residual, whether the tolerance was met].
   */
  cgSense(
    control: JobControl,
    ...rest: [
      ...EncodingArguments,
      prior: Float32Array | undefined,
      lambda: number,
      iterations: number,
      tolerance: number,
    ]
  ): Promise<[iterations: number, residual: number, converged: boolean]>;
}
