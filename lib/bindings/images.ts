// Types of the addon's functions on complex images.
import type { JobControl } from '../binding.js';

/** Functions of native/addon/finishing.cc and native/addon/finite_differences.cc. */
export interface ImageBinding {
  // native/addon/finishing.cc
  /**
   * Completes k-space of images [batch, ny, nx], measured at [first, end) along one axis only, by their phase: by homodyne reconstruction for
   * 0 iterations, else by projections onto convex sets, which count iterations. Changes the images.
   */
  partialFourier(
    control: JobControl,
    batch: number,
    ny: number,
    nx: number,
    alongY: boolean,
    first: number,
    end: number,
    images: Float32Array,
    iterations: number,
    tolerance: number,
    threads: number,
  ): Promise<[iterations: number, change: number, converged: boolean]>;
  /**
   * large [batch, my, mx] = images of the k-space of small [batch, ny, nx], weighed by rows times columns and filled with zeros; or the
   * adjoint, from large to small.
   */
  resample(
    control: JobControl,
    adjoint: boolean,
    batch: number,
    ny: number,
    nx: number,
    my: number,
    mx: number,
    rowWeights: Float32Array,
    columnWeights: Float32Array,
    small: Float32Array,
    large: Float32Array,
    threads: number,
  ): Promise<void>;

  // native/addon/finite_differences.cc
  /** differences [batch, 2, y, x] of image [batch, y, x] to the pixels above and on the left, circular; or the adjoint, into the image. */
  finiteDifferences(
    control: JobControl,
    adjoint: boolean,
    batch: number,
    ny: number,
    nx: number,
    image: Float32Array,
    differences: Float32Array,
    threads: number,
  ): Promise<void>;
}
