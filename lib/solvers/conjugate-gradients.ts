// Conjugate gradients for any Hermitian positive operator, given as a function.
import { type ComplexArray, complexZeros, expectComplex, formatShape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';

/** A linear map from arrays of one shape to arrays of the same shape. */
export type SquareMap = (x: ComplexArray) => ComplexArray | Promise<ComplexArray>;

/** When an iteration ends. */
export interface IterationOptions {
  /** Iterations at most. Default 30. */
  readonly maxIterations?: number | undefined;
  /** Stop when the residual has fallen to this fraction of the right-hand side, in the l2 norm. Default 1e-6. */
  readonly tolerance?: number | undefined;
}

/** What can be chosen about `conjugateGradient`. */
export interface ConjugateGradientOptions extends IterationOptions, Pick<RunOptions, 'signal' | 'onProgress'> {
  /** Where to start. Default zero. */
  readonly x0?: ComplexArray | undefined;
  /** Solve (A + lambda) x = b. Default 0. */
  readonly lambda?: number | undefined;
}

/** A solution and why the iteration ended there. */
export interface SolverResult {
  readonly x: ComplexArray;
  readonly iterations: number;
  /** ||b - (A + lambda) x|| / ||b||, as the recursion has it. */
  readonly residual: number;
  readonly stop: 'tolerance' | 'iterations';
}

/** @throws LarmorError `ERR_ARGUMENT` for an iteration count or tolerance that makes no sense. */
export function expectIterationOptions(who: string, maxIterations: number, tolerance: number): void {
  if (!Number.isSafeInteger(maxIterations) || maxIterations < 1)
    throw new LarmorError('ERR_ARGUMENT', `${who}: maxIterations must be a positive integer, got ${maxIterations}`);
  if (!(tolerance >= 0 && tolerance < 1))
    throw new LarmorError('ERR_ARGUMENT', `${who}: tolerance must be at least 0 and below 1, got ${tolerance}`);
}

/** @throws LarmorError `ERR_ARGUMENT` unless `value` is a finite number, 0 or more. */
export function expectWeight(who: string, option: string, value: number): void {
  if (!(value >= 0 && Number.isFinite(value)))
    throw new LarmorError('ERR_ARGUMENT', `${who}: ${option} must be a finite number, 0 or more, got ${value}`);
}

/** Re <a, b>, in double. */
export function realDot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i] * b[i];
  return sum;
}

/**
 * Solves (A + lambda) x = b.
 *
 * Vectors are float32, inner products double. Between steps the event loop runs; how long a step holds it depends on A.
 *
 * @param A Hermitian and positive semidefinite, such as the normal operator of a `LinearOperator`.
 * @throws LarmorError `ERR_ARGUMENT`; `ERR_SHAPE` when A returns another shape than that of b; `ERR_DIVERGED` when the iteration leaves the
 *   finite numbers, as for an A that is not positive. `signal.reason` when aborted.
 * @see Hestenes and Stiefel, J Res Natl Bur Stand 1952;49:409-436.
 * @example const { x } = await conjugateGradient((x) => encoding.normal(x), await encoding.adjoint(y), { lambda: 0.001 });
 */
export async function conjugateGradient(
  A: SquareMap,
  b: ComplexArray,
  options: ConjugateGradientOptions = {},
): Promise<SolverResult> {
  const { maxIterations = 30, tolerance = 1e-6, lambda = 0, x0, signal, onProgress } = options;
  expectIterationOptions('conjugateGradient', maxIterations, tolerance);
  expectWeight('conjugateGradient', 'lambda', lambda);
  expectComplex('conjugateGradient', 'b', b, b.shape);
  if (x0) expectComplex('conjugateGradient', 'x0', x0, b.shape);

  const x = complexZeros(b.shape);
  const p = complexZeros(b.shape);
  const r = Float32Array.from(b.data);
  if (x0) {
    x.data.set(x0.data);
    const product = await multiply(A, x, signal);
    for (let i = 0; i < r.length; i += 1) r[i] -= product[i] + lambda * x.data[i];
  }
  p.data.set(r);
  const reference = finite(realDot(b.data, b.data));
  const goal = tolerance * tolerance * reference;
  let energy = finite(realDot(r, r));
  let iterations = 0;
  while (iterations < maxIterations && energy > goal) {
    const q = await multiply(A, p, signal);
    let curvature = 0;
    for (let i = 0; i < q.length; i += 1) curvature += p.data[i] * (q[i] + lambda * p.data[i]);
    if (finite(curvature) <= 0) break; // the direction lies in the null space: x can come no closer
    const alpha = energy / curvature;
    let next = 0;
    for (let i = 0; i < q.length; i += 1) {
      x.data[i] += alpha * p.data[i];
      r[i] -= alpha * (q[i] + lambda * p.data[i]);
      next += r[i] * r[i];
    }
    const beta = finite(next) / energy;
    for (let i = 0; i < r.length; i += 1) p.data[i] = r[i] + beta * p.data[i];
    energy = next;
    iterations += 1;
    onProgress?.(iterations / maxIterations);
  }
  const residual = reference > 0 ? Math.sqrt(energy / reference) : 0;
  return { x, iterations, residual, stop: energy <= goal ? 'tolerance' : 'iterations' };
}

async function multiply(A: SquareMap, x: ComplexArray, signal: AbortSignal | undefined): Promise<Float32Array> {
  signal?.throwIfAborted();
  const product = await A(x);
  if (product.data.length !== x.data.length)
    throw new LarmorError(
      'ERR_SHAPE',
      `conjugateGradient: A must keep the shape ${formatShape(x.shape)}, it gave ${formatShape(product.shape)}`,
    );
  return product.data;
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new LarmorError(
    'ERR_DIVERGED',
    'conjugateGradient: the iteration left the finite numbers; A must be Hermitian and positive, b finite',
  );
}
