// The largest eigenvalue of a Hermitian positive operator, given as a function.
import { type ComplexArray, complexZeros, formatShape, type Shape } from '../arrays/complex-array.js';
import { MT19937 } from '../arrays/mt19937.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { expectIterationOptions, type IterationOptions, realDot, type SquareMap } from './conjugate-gradients.js';

/** What can be chosen about `powerIteration`. */
export interface PowerIterationOptions extends IterationOptions, Pick<RunOptions, 'signal' | 'onProgress'> {
  /** Of the random start. Default 0. */
  readonly seed?: number | undefined;
}

/** An eigenpair and why the iteration ended there. */
export interface PowerIterationResult {
  /** The largest eigenvalue, approached from below. */
  readonly value: number;
  /** Its eigenvector, of unit norm. */
  readonly vector: ComplexArray;
  readonly iterations: number;
  /** ||A vector - value vector|| / |value|. */
  readonly residual: number;
  readonly stop: 'tolerance' | 'iterations';
}

/**
 * Largest eigenvalue of A, for step sizes and condition numbers.
 *
 * @param A Hermitian and positive semidefinite on arrays of `shape`. @param options `tolerance` bounds the relative residual, default 1e-6;
 *   `maxIterations` 30.
 * @throws LarmorError `ERR_ARGUMENT`; `ERR_SHAPE` when A returns another shape; `ERR_DIVERGED` when it returns numbers that are not finite.
 * @example const { value } = await powerIteration((x) => encoding.normal(x), encoding.domain);
 */
export async function powerIteration(
  A: SquareMap,
  shape: Shape,
  options: PowerIterationOptions = {},
): Promise<PowerIterationResult> {
  const { maxIterations = 30, tolerance = 1e-6, seed = 0, signal, onProgress } = options;
  expectIterationOptions('powerIteration', maxIterations, tolerance);
  const random = new MT19937(seed);
  const vector = complexZeros(shape);
  for (let i = 0; i < vector.data.length; i += 1) vector.data[i] = random.normal();
  normalise(vector.data);

  for (let iterations = 1; ; iterations += 1) {
    signal?.throwIfAborted();
    const { data: product, shape: got } = await A(vector);
    if (product.length !== vector.data.length)
      throw new LarmorError(
        'ERR_SHAPE',
        `powerIteration: A must keep the shape ${formatShape(shape)}, it gave ${formatShape(got)}`,
      );
    const value = realDot(vector.data, product);
    if (!Number.isFinite(value))
      throw new LarmorError('ERR_DIVERGED', 'powerIteration: A gave numbers that are not finite');
    let error = 0;
    for (let i = 0; i < product.length; i += 1) error += (product[i] - value * vector.data[i]) ** 2;
    const residual = error > 0 ? Math.sqrt(error) / Math.abs(value) : 0;
    onProgress?.(iterations / maxIterations);
    const converged = residual <= tolerance;
    if (converged || iterations === maxIterations)
      return { value, vector, iterations, residual, stop: converged ? 'tolerance' : 'iterations' };
    vector.data.set(product);
    normalise(vector.data);
  }
}

function normalise(x: Float32Array): void {
  const norm = Math.sqrt(realDot(x, x));
  for (let i = 0; i < x.length; i += 1) x[i] /= norm;
}
