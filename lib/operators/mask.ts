// Sampling as a linear operator, and the checks every operator makes of a sampling mask.
import { type ComplexArray, formatShape, points, type Shape } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import type { SamplingMask } from '../sampling/mask.js';
import { LinearOperator } from './linear-operator.js';

/**
 * The mask as float weights [kx] or [ky, kx].
 *
 * @throws LarmorError `ERR_MASK` when the mask fits no k-space [..., ny, nx], holds other values than 0 and 1, or samples nothing.
 */
export function maskWeights(who: string, mask: SamplingMask, ny: number, nx: number): Float32Array {
  const { data, shape } = mask;
  const fits = shape[shape.length - 1] === nx && (shape.length === 1 || (shape.length === 2 && shape[0] === ny));
  if (!fits || data.length !== points(shape))
    throw new LarmorError(
      'ERR_MASK',
      `${who}: mask must have shape [${nx}] or [${ny},${nx}], got ${formatShape(shape)} with ${data.length} values`,
    );
  const odd = data.find((value) => value > 1);
  if (odd !== undefined) throw new LarmorError('ERR_MASK', `${who}: mask must hold only 0 and 1, got ${odd}`);
  if (!data.includes(1))
    throw new LarmorError('ERR_MASK', `${who}: mask samples nothing; give one with at least one 1`);
  return Float32Array.from(data);
}

/** Keeps the sampled k-space points: M y. Real and 0/1, so Mᴴ = M and MᴴM = M. */
export class Mask extends LinearOperator {
  readonly #weights: Float32Array;

  /**
   * @param mask [kx], the same for every row, or [ky, kx]. @param shape K-space [..., ky, kx].
   * @throws LarmorError `ERR_MASK` when the mask does not fit `shape`, is not 0/1 or samples nothing.
   */
  constructor(mask: SamplingMask, shape: Shape) {
    super('Mask', shape, shape);
    const [ny, nx] = shape.slice(-2);
    const weights = maskWeights('Mask', mask, ny, nx);
    this.#weights = new Float32Array(ny * nx);
    for (let start = 0; start < ny * nx; start += weights.length) this.#weights.set(weights, start);
  }

  protected override async forward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    const weights = this.#weights;
    const coils = points(this.domain) / weights.length;
    const threads = threadCount(options);
    await runJob(1, options, (control) =>
      binding.applyMask(control, coils, weights.length, weights, x.data, y.data, threads),
    );
  }

  protected override backward(y: ComplexArray, x: ComplexArray, options: RunOptions): Promise<void> {
    return this.forward(y, x, options);
  }

  protected override forwardBackward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    return this.forward(x, y, options);
  }
}
