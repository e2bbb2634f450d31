// Orthogonal wavelet transforms of images.
import { type ComplexArray, points, type Shape } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { expectImages } from './fft2.js';
import { LinearOperator } from './linear-operator.js';

/** Haar's two taps, or Daubechies' four with two vanishing moments (`db2` in PyWavelets, `dau2` in BART). */
export const WAVELETS = ['haar', 'daubechies-4'] as const;

/** One of `WAVELETS`. */
export type WaveletName = (typeof WAVELETS)[number];

/** What can be chosen about a wavelet transform. */
export interface WaveletOptions {
  /** Default `daubechies-4`. */
  readonly wavelet?: WaveletName | undefined;
  /** Levels at most. Default: an axis is split as long as its coarse half keeps 16 samples, as in BART. */
  readonly levels?: number | undefined;
}

/** The transform as the addon takes it. @throws LarmorError `ERR_ARGUMENT` for an unknown wavelet or an odd number of levels. */
export function waveletArguments(
  who: string,
  { wavelet = 'daubechies-4', levels }: WaveletOptions,
): [haar: boolean, levels: number, coarsest: number] {
  if (!WAVELETS.includes(wavelet))
    throw new LarmorError('ERR_ARGUMENT', `${who}: wavelet must be one of ${WAVELETS.join(', ')}, got ${wavelet}`);
  if (levels !== undefined && (!Number.isSafeInteger(levels) || levels < 1))
    throw new LarmorError('ERR_ARGUMENT', `${who}: levels must be a positive integer, got ${levels}`);
  return [wavelet === 'haar', levels ?? 64, levels === undefined ? 16 : 1];
}

/**
 * The 2-D wavelet transform W of every image of a stack. It is orthogonal at any size: Wᴴ is the inverse.
 *
 * Each level splits the coarse band into a coarse and a detail half along both axes, periodically; the last sample of an odd length is
 * carried to the coarse half. Coefficients [..., y, x] hold the coarse band first along both axes, then details from coarse to fine. Away
 * from the edges they are those of PyWavelets and BART, which lengthen the image there.
 *
 * Precision: float32, relative error below 1e-6.
 *
 * @see Daubechies, Commun Pure Appl Math 1988;41:909-996; Mallat, IEEE Trans Pattern Anal Mach Intell 1989;11:674-693.
 * @example const coefficients = await new Wavelet([256, 256]).apply(image);
 */
export class Wavelet extends LinearOperator {
  readonly #settings: [haar: boolean, levels: number, coarsest: number];

  /** @param shape [..., y, x]. @throws LarmorError `ERR_SHAPE`; `ERR_ARGUMENT` for an unknown wavelet or levels below 1. */
  constructor(shape: Shape, options: WaveletOptions = {}) {
    expectImages('Wavelet', shape);
    super('Wavelet', shape, shape);
    this.#settings = waveletArguments('Wavelet', options);
  }

  protected override forward(x: ComplexArray, y: ComplexArray, options: RunOptions): Promise<void> {
    return this.#transform(false, x, y, options);
  }

  protected override backward(y: ComplexArray, x: ComplexArray, options: RunOptions): Promise<void> {
    return this.#transform(true, y, x, options);
  }

  /** W is orthogonal: WᴴW x = x. */
  protected override async forwardBackward(x: ComplexArray, y: ComplexArray): Promise<void> {
    y.data.set(x.data);
  }

  async #transform(inverse: boolean, from: ComplexArray, to: ComplexArray, options: RunOptions): Promise<void> {
    const [ny, nx] = from.shape.slice(-2);
    const batch = points(from.shape.slice(0, -2));
    const threads = threadCount(options);
    await runJob(1, options, (control) =>
      binding.wavelet(control, inverse, batch, ny, nx, ...this.#settings, from.data, to.data, threads),
    );
  }
}
