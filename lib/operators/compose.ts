// Products of linear operators.
import { type ComplexArray, formatShape, sameShape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { LinearOperator } from './linear-operator.js';

class Composition extends LinearOperator {
  readonly #outer: LinearOperator;
  readonly #inner: LinearOperator;

  constructor(outer: LinearOperator, inner: LinearOperator) {
    if (!sameShape(outer.domain, inner.codomain))
      throw new LarmorError(
        'ERR_SHAPE',
        `compose: ${outer.name} takes ${formatShape(outer.domain)}, but ${inner.name} gives ${formatShape(inner.codomain)}`,
      );
    super(`${outer.name} ${inner.name}`, inner.domain, outer.codomain);
    this.#outer = outer;
    this.#inner = inner;
  }

  protected override async forward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    y.data.set((await this.#outer.apply(await this.#inner.apply(x, options), options)).data);
  }

  protected override async backward(y: ComplexArray, x: ComplexArray, options: RunOptions): Promise<void> {
    x.data.set((await this.#inner.adjoint(await this.#outer.adjoint(y, options), options)).data);
  }

  protected override async forwardBackward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    const middle = await this.#outer.normal(await this.#inner.apply(x, options), options);
    y.data.set((await this.#inner.adjoint(middle, options)).data);
  }
}

/**
 * The product A B C ... of operators: `compose(mask, fft2, coils)` applies the coils first.
 *
 * @throws LarmorError `ERR_SHAPE` when the result of one does not fit the next; `ERR_ARGUMENT` when none is given.
 */
export function compose(...operators: readonly LinearOperator[]): LinearOperator {
  const [first, ...rest] = operators;
  if (first === undefined) throw new LarmorError('ERR_ARGUMENT', 'compose: give at least one operator');
  return rest.reduce((outer, inner) => new Composition(outer, inner), first);
}
