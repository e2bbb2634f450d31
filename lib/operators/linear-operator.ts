// The frame of a linear operator: checks shapes, so that an operator is two methods, and a third only to go faster.
import { type ComplexArray, complexUninitialised, expectComplex, type Shape } from '../arrays/complex-array.js';
import type { RunOptions } from '../jobs.js';

/** A complex-linear map A from arrays of shape `domain` to arrays of shape `codomain`, with its adjoint. Immutable once built. */
export abstract class LinearOperator {
  readonly name: string;
  readonly domain: Shape;
  readonly codomain: Shape;

  constructor(name: string, domain: Shape, codomain: Shape) {
    this.name = name;
    this.domain = domain;
    this.codomain = codomain;
  }

  /**
   * A x, a new array.
   *
   * @param x Shape `domain`. @throws LarmorError `ERR_SHAPE`; `signal.reason` when aborted.
   */
  async apply(x: ComplexArray, options: RunOptions = {}): Promise<ComplexArray> {
    expectComplex(this.name, 'x', x, this.domain);
    const y = complexUninitialised(this.codomain);
    await this.forward(x, y, options);
    return y;
  }

  /**
   * Aᴴ y, a new array.
   *
   * @param y Shape `codomain`. @throws LarmorError `ERR_SHAPE`; `signal.reason` when aborted.
   */
  async adjoint(y: ComplexArray, options: RunOptions = {}): Promise<ComplexArray> {
    expectComplex(this.name, 'y', y, this.codomain);
    const x = complexUninitialised(this.domain);
    await this.backward(y, x, options);
    return x;
  }

  /**
   * Aᴴ A x, a new array.
   *
   * @param x Shape `domain`. @throws LarmorError `ERR_SHAPE`; `signal.reason` when aborted.
   */
  async normal(x: ComplexArray, options: RunOptions = {}): Promise<ComplexArray> {
    expectComplex(this.name, 'x', x, this.domain);
    const y = complexUninitialised(this.domain);
    await this.forwardBackward(x, y, options);
    return y;
  }

  /** Writes A x into the whole of y. */
  protected abstract forward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void>;
  /** Writes Aᴴ y into the whole of x. */
  protected abstract backward(y: ComplexArray, x: ComplexArray, options: RunOptions): Promise<void>;
  /** Writes Aᴴ A x into the whole of y. Override where the pair fuses; never to change the result. */
  protected async forwardBackward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    const middle = complexUninitialised(this.codomain);
    await this.forward(x, middle, options);
    await this.backward(middle, y, options);
  }
}
