// Differences of neighbouring pixels as a linear operator.
import { type ComplexArray, formatShape, points, type Shape } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { LinearOperator } from './linear-operator.js';

/**
 * D x: differences to the pixel above, x[y, x] - x[y - 1, x], and to the pixel on the left, x[y, x] - x[y, x - 1], for every image of a stack.
 *
 * The image goes on at its opposite edge. Shapes: x [..., y, x] -> [..., 2, y, x]. The eigenvalues of Dᴴ D lie between 0 and 8.
 *
 * @example const edges = await new FiniteDifferences(image.shape).apply(image);
 */
export class FiniteDifferences extends LinearOperator {
  /** @param shape [..., y, x]. @throws LarmorError `ERR_SHAPE` for fewer than two axes or an empty one. */
  constructor(shape: Shape) {
    if (shape.length < 2 || !shape.every((n) => Number.isSafeInteger(n) && n >= 1))
      throw new LarmorError(
        'ERR_SHAPE',
        `FiniteDifferences: shape must be [..., y, x] with no empty axis, got ${formatShape(shape)}`,
      );
    super('FiniteDifferences', shape, [...shape.slice(0, -2), 2, ...shape.slice(-2)]);
  }

  protected override forward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    return this.#run(false, x, y, options);
  }

  protected override backward(y: ComplexArray, x: ComplexArray, options: RunOptions): Promise<void> {
    return this.#run(true, x, y, options);
  }

  async #run(adjoint: boolean, image: ComplexArray, differences: ComplexArray, options: RunOptions): Promise<void> {
    const [ny, nx] = this.domain.slice(-2);
    const batch = points(this.domain.slice(0, -2));
    const threads = threadCount(options);
    await runJob(1, options, (control) =>
      binding.finiteDifferences(control, adjoint, batch, ny, nx, image.data, differences.data, threads),
    );
  }
}
