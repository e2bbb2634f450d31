// The centred unitary Fourier transform of one axis.
import { type ComplexArray, formatShape, points, type Shape } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { LinearOperator } from './linear-operator.js';

/** Longest axis a transform takes, as in native/core/fft_plan.cc. */
const LONGEST_SIDE = 2 ** 24;

/**
 * The centred unitary DFT F along one axis of an array; Fᴴ is the inverse transform.
 *
 * X[k] = sum over j of x[j] exp(-2πi (j - c)(k - c) / n) / sqrt(n), c = floor(n / 2), for any n. Precision: float32,
 * relative error below 1e-6. The last axis and axes with many points behind them are transformed fastest.
 */
export class Fft1 extends LinearOperator {
  readonly #batch: number;
  readonly #n: number;
  readonly #columns: number;

  /** @param axis Counted from 0. @throws LarmorError `ERR_SHAPE` for sizes below 1; `ERR_ARGUMENT` for an axis there is not. */
  constructor(shape: Shape, axis: number) {
    if (!shape.every((n) => Number.isSafeInteger(n) && n >= 1 && n <= LONGEST_SIDE))
      throw new LarmorError(
        'ERR_SHAPE',
        `Fft1: shape must hold positive sizes up to ${LONGEST_SIDE}, got ${formatShape(shape)}`,
      );
    if (!(Number.isInteger(axis) && axis >= 0 && axis < shape.length))
      throw new LarmorError(
        'ERR_ARGUMENT',
        `Fft1: axis must be an integer in 0..${shape.length - 1} for shape ${formatShape(shape)}, got ${axis}`,
      );
    super('Fft1', shape, shape);
    this.#batch = points(shape.slice(0, axis));
    this.#n = shape[axis];
    this.#columns = points(shape.slice(axis + 1));
  }

  protected override forward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    return this.#transform(false, x, y, options);
  }

  protected override backward(y: ComplexArray, x: ComplexArray, options: RunOptions): Promise<void> {
    return this.#transform(true, y, x, options);
  }

  /** F is unitary: FᴴF x = x. */
  protected override async forwardBackward(x: ComplexArray, y: ComplexArray): Promise<void> {
    y.data.set(x.data);
  }

  async #transform(inverse: boolean, x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    const threads = threadCount(options);
    await runJob(1, options, (control) =>
      binding.fft1(control, inverse, this.#batch, this.#n, this.#columns, x.data, y.data, threads),
    );
  }
}
