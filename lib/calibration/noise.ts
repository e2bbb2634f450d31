// The noise of receive coils: its covariance, and k-space in which it is white.
import { type ComplexArray, complexZeros, expectComplex, formatShape } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob } from '../jobs.js';
import { expectKspace } from '../sampling/kspace.js';
import { applyCoilMatrices, coilGram } from './coil-matrices.js';

/** Covariance of the noise of the coils, in the units of k-space squared. */
export interface NoiseCovariance {
  /** E[n n^H], Hermitian [coil, coil], interleaved re, im: on the diagonal the variances of real and imaginary part together. */
  readonly matrix: Float64Array;
  readonly coils: number;
  /** Samples of noise it was estimated from. */
  readonly samples: number;
  /** Largest over smallest eigenvalue: how unequal and how coupled the coils are. */
  readonly condition: number;
  /** Why it may be wrong. */
  readonly warnings: readonly string[];
}

/** What can be said about samples of noise. */
export interface NoiseCovarianceOptions extends RunOptions {
  /**
   * Variance of the noise in k-space over that in these samples: the receiver's bandwidth during the scan over that during the noise scan,
   * which is (dwell time of the noise scan) / (dwell time of the scan). Default 1.
   */
  readonly bandwidthRatio?: number | undefined;
}

/** Samples per coil below which single entries of the covariance are not known to a third. */
const SAMPLES_PER_COIL = 10;

/** Beyond it, whitening in single precision would amplify rounding errors to the size of the signal. */
const LARGEST_CONDITION = 1e12;

/**
 * Covariance of samples that hold noise alone: bandwidthRatio / n times the sum of n n^H, in double precision.
 *
 * Shapes: samples [coil, n] in the units of k-space.
 *
 * @throws LarmorError `ERR_SHAPE`; `ERR_ARGUMENT`; `ERR_NOT_FINITE`; `ERR_NOISE` when there are fewer samples than coils, or the covariance
 * is singular: a coil of zeros, or one that repeats others. `signal.reason` when aborted.
 * @see Pruessmann et al., Magn Reson Med 2001;46:638-651.
 * @example const covariance = await noiseCovariance(samples); const white = await whiten(kspace, covariance);
 */
export async function noiseCovariance(
  samples: ComplexArray,
  options: NoiseCovarianceOptions = {},
): Promise<NoiseCovariance> {
  const who = 'noiseCovariance';
  const { bandwidthRatio = 1 } = options;
  if (samples.shape.length !== 2 || samples.shape.includes(0))
    throw new LarmorError(
      'ERR_SHAPE',
      `${who}: samples must have shape [coil,n], neither of them 0, got ${formatShape(samples.shape)}`,
    );
  expectComplex(who, 'samples', samples, samples.shape);
  if (!(bandwidthRatio > 0 && Number.isFinite(bandwidthRatio)))
    throw new LarmorError('ERR_ARGUMENT', `${who}: bandwidthRatio must be a positive number, got ${bandwidthRatio}`);
  const [coils, n] = samples.shape;
  if (n < coils)
    throw new LarmorError('ERR_NOISE', `${who}: ${coils} coils need at least as many samples of noise, got ${n}`);
  const block = { row: 0, rows: 1, column: 0, columns: n };
  const matrix = await coilGram({ data: samples.data, shape: [coils, 1, n] }, block, options);
  for (let i = 0; i < matrix.length; i += 1) matrix[i] *= bandwidthRatio / n;
  for (let coil = 0; coil < coils; coil += 1)
    if (!(matrix[2 * coil * (coils + 1)] > 0))
      throw new LarmorError('ERR_NOISE', `${who}: coil ${coil} holds only zeros; leave it out, or do not whiten`);
  const condition = await runJob(1, options, (control) => binding.noiseCondition(control, coils, matrix));
  if (!(condition < LARGEST_CONDITION))
    throw new LarmorError(
      'ERR_NOISE',
      `${who}: the covariance of ${coils} coils is singular; some repeat others: leave them out, or do not whiten`,
    );
  const enough = SAMPLES_PER_COIL * coils;
  const warnings =
    n < enough ? [`the noise of ${coils} coils is known from only ${n} samples; ${enough} would be enough`] : [];
  return { matrix, coils, samples: n, condition, warnings };
}

/** Throws `ERR_SHAPE` unless the covariance is that of so many coils. */
export function expectCovariance(who: string, { matrix, coils }: NoiseCovariance, wanted: number): void {
  if (coils !== wanted || matrix.length !== 2 * wanted * wanted)
    throw new LarmorError(
      'ERR_SHAPE',
      `${who}: the noise covariance must be that of ${wanted} coils, got ${coils} and ${matrix.length} numbers`,
    );
}

/**
 * The matrix [coil, coil] that makes noise white: s L^-1, where covariance = L L^H and s^2 = coils / trace(covariance^-1).
 *
 * Every whitened coil has noise of variance s^2, the harmonic mean over the covariance's eigenvalues. With it, a signal spread evenly over
 * the coils keeps its root sum of squares, so whitened images are as bright as before; one that only noisy coils see becomes darker.
 *
 * @throws LarmorError `ERR_NOISE` when the covariance is not positive definite.
 */
export async function whiteningMatrix(covariance: NoiseCovariance, options: RunOptions = {}): Promise<ComplexArray> {
  const { coils, matrix } = covariance;
  expectCovariance('whiteningMatrix', covariance, coils);
  const whitening = complexZeros([coils, coils]);
  await runJob(1, options, (control) => binding.whiteningMatrix(control, coils, matrix, whitening.data));
  return whitening;
}

/**
 * K-space of coils whose noise is white: `whiteningMatrix` applied to every sample.
 *
 * Shapes: kspace [coil, ky, kx], undersampled or not; the result likewise. Maps and images must be estimated from the result.
 *
 * @throws LarmorError `ERR_SHAPE`; `ERR_NOISE`. `signal.reason` when aborted.
 */
export async function whiten(
  kspace: ComplexArray,
  covariance: NoiseCovariance,
  options: RunOptions = {},
): Promise<ComplexArray> {
  expectKspace('whiten', kspace);
  expectCovariance('whiten', covariance, kspace.shape[0]);
  return await applyCoilMatrices(kspace, await whiteningMatrix(covariance, options), options);
}
