// What the solvers with proximal maps share, and their iteration for functions of any kind.
import { type ComplexArray, complexZeros, expectComplex } from '../arrays/complex-array.js';
import type { ProximalOutcome } from '../bindings/solvers.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { expectIterationOptions, realDot, type SquareMap } from './conjugate-gradients.js';
import { powerIteration } from './power-iteration.js';

/** When a proximal gradient iteration ends. */
export interface ProximalIterationOptions {
  /** Iterations. Default 100. */
  readonly maxIterations?: number | undefined;
  /** Stop when ||x - previous x|| has fallen to this fraction of ||x||; 0 never stops early. Default 1e-4. */
  readonly tolerance?: number | undefined;
}

/** A solution and why the iteration ended there. */
export interface ProximalResult {
  readonly x: ComplexArray;
  readonly iterations: number;
  /** ||x - previous x|| / ||x|| at the last iteration. */
  readonly change: number;
  /** How often the momentum was begun anew. */
  readonly restarts: number;
  readonly stop: 'tolerance' | 'iterations';
}

/** A proximal solve whose penalty is relative to the brightness of the data. */
export interface RegularisedResult extends ProximalResult {
  /** Value of the functional at x. */
  readonly objective: number;
  /** The data scale s that lambda was relative to. */
  readonly scale: number;
}

/** What can be chosen about a penalty relative to the brightness of the data. */
export interface PenaltyOptions extends ProximalIterationOptions, RunOptions {
  /** Weight of the penalty, relative to the data scale. */
  readonly lambda?: number | undefined;
  /** The data scale s. Default: `dataScale(kspace, mask)`. */
  readonly scale?: number | undefined;
  /** Of the random displacements. Default 0. */
  readonly seed?: number | undefined;
}

/** Options of a regularised solve with their defaults, checked. @throws LarmorError `ERR_ARGUMENT`. */
export function penaltySettings(
  who: string,
  { lambda, scale, seed = 0, maxIterations = 100, tolerance = 1e-4 }: PenaltyOptions & { lambda: number },
): { lambda: number; scale: number | undefined; seed: number; maxIterations: number; tolerance: number } {
  expectIterationOptions(who, maxIterations, tolerance);
  for (const [option, value] of Object.entries({ lambda, scale }))
    if (value !== undefined && !(value > 0 && Number.isFinite(value)))
      throw new LarmorError('ERR_ARGUMENT', `${who}: ${option} must be a finite number above 0, got ${value}`);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new LarmorError('ERR_ARGUMENT', `${who}: seed must be an integer, 0 or more, got ${seed}`);
  return { lambda, scale, seed, maxIterations, tolerance };
}

/** The outcome of a native solve as a result. */
export function regularisedResult(x: ComplexArray, scale: number, outcome: ProximalOutcome): RegularisedResult {
  const [iterations, change, converged, restarts, objective] = outcome;
  return { x, iterations, change, restarts, stop: converged ? 'tolerance' : 'iterations', objective, scale };
}

/** The minimiser u of 1/2 ||u - x||^2 + step g(u), a new array or x itself. */
export type ProximalMap = (x: ComplexArray, step: number) => ComplexArray | Promise<ComplexArray>;

/** What can be chosen about `fista`. */
export interface FistaOptions extends ProximalIterationOptions, Pick<RunOptions, 'signal' | 'onProgress'> {
  /** At most the inverse of the largest eigenvalue of A. Default: from a power iteration, with 2 % to spare. */
  readonly step?: number | undefined;
}

/**
 * Minimises 1/2 Re <x, A x> - Re <b, x> + g(x), that is 1/2 ||E x - y||^2 + g(x) for A = EᴴE and b = Eᴴy, for any g with a proximal map.
 *
 * From zero, with momentum that starts anew where it points uphill. Vectors are float32, inner products double.
 *
 * @param A Hermitian and positive semidefinite, such as the normal operator of a `LinearOperator`.
 * @throws LarmorError `ERR_ARGUMENT`; `ERR_SHAPE` when a map returns another shape; `ERR_DIVERGED`. `signal.reason` when aborted.
 * @see Beck and Teboulle, SIAM J Imaging Sci 2009;2:183-202; O'Donoghue and Candes, Found Comput Math 2015;15:715-732.
 * @example const { x } = await fista((x) => encoding.normal(x), await encoding.adjoint(y), softThreshold);
 */
export async function fista(
  A: SquareMap,
  b: ComplexArray,
  proximal: ProximalMap,
  options: FistaOptions = {},
): Promise<ProximalResult> {
  const { maxIterations = 100, tolerance = 1e-4, signal, onProgress } = options;
  expectIterationOptions('fista', maxIterations, tolerance);
  const step = options.step ?? 1 / (1.02 * (await powerIteration(A, b.shape, { signal, tolerance: 0.01 })).value);
  if (!(step > 0 && Number.isFinite(step)))
    throw new LarmorError('ERR_ARGUMENT', `fista: step must be a finite number above 0, got ${step}`);
  let x = complexZeros(b.shape);
  const z = complexZeros(b.shape);
  let [momentum, iterations, restarts, change] = [1, 0, 0, 0];
  do {
    signal?.throwIfAborted();
    const product = (await A(z)).data;
    const descended = b.data.map((value, i) => z.data[i] - step * (product[i] - value));
    const next = await proximal({ data: descended, shape: b.shape }, step);
    expectComplex('fista', 'what the proximal map returns', next, b.shape);
    const difference = next.data.map((value, i) => value - x.data[i]);
    const uphill = realDot(z.data, difference) - realDot(next.data, difference);
    const size = realDot(next.data, next.data);
    if (!Number.isFinite(size))
      throw new LarmorError('ERR_DIVERGED', 'fista: the iteration left the finite numbers; choose a smaller step');
    if (uphill > 0) {
      restarts += 1;
      momentum = 1;
    }
    const nextMomentum = (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2;
    const beta = (momentum - 1) / nextMomentum;
    momentum = nextMomentum;
    for (let i = 0; i < z.data.length; i += 1) z.data[i] = next.data[i] + beta * difference[i];
    x = next;
    change = size > 0 ? Math.sqrt(realDot(difference, difference) / size) : 0;
    iterations += 1;
    onProgress?.(iterations / maxIterations);
  } while (iterations < maxIterations && !(tolerance > 0 && change <= tolerance));
  return { x, iterations, change, restarts, stop: tolerance > 0 && change <= tolerance ? 'tolerance' : 'iterations' };
}
