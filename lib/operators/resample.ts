// Filtering and sinc interpolation of images as a linear operator.
import { type ComplexArray, formatShape, points, type Shape } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { LinearOperator } from './linear-operator.js';
import { type WindowOptions, windowWeights } from './window.js';

/** What can be chosen about `Resample`. */
export interface ResampleOptions {
  /** [y, x] of the result, at least that of the images. Default: theirs. */
  readonly size?: readonly [number, number] | undefined;
  /** Damps the edges of k-space. Default: none. */
  readonly window?: WindowOptions | undefined;
}

/**
 * Images through their k-space, weighed by a window and filled with zeros around it: a filter, an interpolation, or both at once.
 *
 * Shapes: x [..., y, x] -> [..., size]. Values are kept: a constant stays the same constant. Pixel floor(n / 2) stays at floor(m / 2). Cost:
 * two batched FFTs.
 *
 * @throws LarmorError `ERR_SHAPE`; `ERR_ARGUMENT` for a window out of range.
 * @example const twice = await new Resample(image.shape, { size: [512, 512] }).apply(image);
 */
export class Resample extends LinearOperator {
  readonly #rows: Float32Array;
  readonly #columns: Float32Array;

  /** @param shape [..., y, x]. */
  constructor(shape: Shape, { size, window }: ResampleOptions = {}) {
    const [ny, nx] = shape.slice(-2);
    const [my, mx] = size ?? [ny, nx];
    if (shape.length < 2 || !shape.every((n) => Number.isSafeInteger(n) && n >= 1))
      throw new LarmorError(
        'ERR_SHAPE',
        `Resample: shape must be [..., y, x] with no empty axis, got ${formatShape(shape)}`,
      );
    if (!(Number.isSafeInteger(my) && Number.isSafeInteger(mx) && my >= ny && mx >= nx))
      throw new LarmorError('ERR_SHAPE', `Resample: size must be integers, at least [${ny},${nx}], got [${my},${mx}]`);
    super('Resample', shape, [...shape.slice(0, -2), my, mx]);
    this.#rows = windowWeights(window, ny);
    this.#columns = windowWeights(window, nx);
  }

  protected override forward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    return this.#run(false, x, y, options);
  }

  protected override backward(y: ComplexArray, x: ComplexArray, options: RunOptions): Promise<void> {
    return this.#run(true, x, y, options);
  }

  async #run(adjoint: boolean, small: ComplexArray, large: ComplexArray, options: RunOptions): Promise<void> {
    const [ny, nx] = this.domain.slice(-2);
    const [my, mx] = this.codomain.slice(-2);
    const batch = points(this.domain.slice(0, -2));
    const threads = threadCount(options);
    const [rows, columns] = [this.#rows, this.#columns];
    await runJob(1, options, (control) =>
      binding.resample(control, adjoint, batch, ny, nx, my, mx, rows, columns, small.data, large.data, threads),
    );
  }
}
