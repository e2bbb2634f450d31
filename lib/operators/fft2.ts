// The centred unitary Fourier transform of the last two axes.
import { type ComplexArray, formatShape, points, type Shape } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { LinearOperator } from './linear-operator.js';

/** Longest side a transform takes, as in native/core/fft_plan.cc. */
const LONGEST_SIDE = 2 ** 24;

/** @throws LarmorError `ERR_SHAPE` unless `shape` is [..., y, x] of positive sizes that a transform can take. */
export function expectImages(who: string, shape: Shape): void {
  const good = shape.length >= 2 && shape.every((n) => Number.isSafeInteger(n) && n >= 1 && n <= LONGEST_SIDE);
  if (!good)
    throw new LarmorError(
      'ERR_SHAPE',
      `${who}: shape must be [..., y, x] of positive sizes up to ${LONGEST_SIDE}, got ${formatShape(shape)}`,
    );
}

async function transform(inverse: boolean, x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
  const [ny, nx] = x.shape.slice(-2);
  const batch = points(x.shape.slice(0, -2));
  const threads = threadCount(options);
  await runJob(1, options, (control) => binding.fft2(control, inverse, batch, ny, nx, x.data, y.data, threads));
}

/**
 * The centred unitary 2-D DFT F of every image of a stack; Fᴴ is the inverse transform.
 *
 * X[k, l] = sum over j, m of x[j, m] exp(-2πi ((j - cy)(k - cy) / ny + (m - cx)(l - cx) / nx)) / sqrt(ny nx), c = floor(n / 2),
 * for any sizes, odd and prime ones too. Precision: float32, relative error below 1e-6.
 */
export class Fft2 extends LinearOperator {
  /** @param shape [..., y, x]. @throws LarmorError `ERR_SHAPE` for fewer than two axes or sizes below 1. */
  constructor(shape: Shape) {
    expectImages('Fft2', shape);
    super('Fft2', shape, shape);
  }

  protected override forward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    return transform(false, x, y, options);
  }

  protected override backward(y: ComplexArray, x: ComplexArray, options: RunOptions): Promise<void> {
    return transform(true, y, x, options);
  }

  /** F is unitary: FᴴF x = x. */
  protected override async forwardBackward(x: ComplexArray, y: ComplexArray): Promise<void> {
    y.data.set(x.data);
  }
}

/**
 * Image to k-space: the centred unitary 2-D DFT of the last two axes, see `Fft2`.
 *
 * @param x Shape [..., y, x]. @throws LarmorError `ERR_SHAPE`; `signal.reason` when aborted.
 */
export async function fft2(x: ComplexArray, options: RunOptions = {}): Promise<ComplexArray> {
  return new Fft2(x.shape).apply(x, options);
}

/**
 * K-space to image: the inverse and adjoint of `fft2`.
 *
 * @param x Shape [..., y, x]. @throws LarmorError `ERR_SHAPE`; `signal.reason` when aborted.
 */
export async function ifft2(x: ComplexArray, options: RunOptions = {}): Promise<ComplexArray> {
  return new Fft2(x.shape).adjoint(x, options);
}
