// Images from k-space of which one side was not measured, by what is known of their phase.
import { type ComplexArray, formatShape, points } from '../arrays/complex-array.js';
import { binding } from '../binding.js';
import { LarmorError } from '../errors.js';
import { type RunOptions, runJob, threadCount } from '../jobs.js';
import { expectMask, type SamplingMask } from '../sampling/mask.js';
import { expectIterationOptions, type IterationOptions } from './conjugate-gradients.js';

/** Where k-space was measured along its one-sided axis: positions [first, end); outside them lies nothing. */
export interface OneSidedSampling {
  readonly axis: 'y' | 'x';
  readonly first: number;
  readonly end: number;
}

/** A shorter side above this share of the longer one counts as the same: the last lines of a random mask fall anywhere. */
const SYMMETRIC = 0.9;
/** Lines on either side of the centre that a phase can be seen from. */
const FEWEST_LINES = 4;

/**
 * The one-sided axis of a mask: that along which samples reach further to one side of the centre.
 *
 * @param columns [first, end) of those to consider, where scanners leave others at zero. Default: all.
 * @throws LarmorError `ERR_MASK` when both sides are alike, or too little around the centre was measured to see a phase.
 */
export function oneSidedSampling(
  mask: SamplingMask,
  [ny, nx]: readonly [number, number],
  columns: readonly [number, number] = [0, nx],
): OneSidedSampling {
  expectMask('oneSidedSampling', mask, ny, nx);
  const sampled = { y: new Uint8Array(ny), x: new Uint8Array(nx) };
  mask.data.forEach((bit, i) => {
    const x = i % nx;
    if (bit === 0 || x < columns[0] || x >= columns[1]) return;
    sampled.x[x] = 1;
    if (mask.shape.length === 2) sampled.y[Math.floor(i / nx)] = 1;
    else sampled.y.fill(1);
  });
  for (const axis of ['x', 'y'] as const) {
    const bits = sampled[axis];
    const [first, end, centre] = [bits.indexOf(1), bits.lastIndexOf(1) + 1, bits.length >> 1];
    const [before, after] = [centre - first, end - 1 - centre];
    const [short, long] = [Math.min(before, after), Math.max(before, after)];
    if (short > SYMMETRIC * long - 1) continue; // an even length has one sample more before its centre
    if (short < FEWEST_LINES)
      throw new LarmorError(
        'ERR_MASK',
        `partial Fourier: needs at least ${FEWEST_LINES} lines on either side of the centre along ${axis}, got ${Math.max(0, before)} and ${Math.max(0, after)}`,
      );
    return { axis, first, end };
  }
  throw new LarmorError(
    'ERR_MASK',
    'partial Fourier: the mask reaches equally far to both sides of the centre; leave partial Fourier out',
  );
}

function expectImages(who: string, images: ComplexArray, { axis, first, end }: OneSidedSampling): void {
  const { shape, data } = images;
  if (shape.length < 2 || shape.includes(0) || data.length !== 2 * points(shape))
    throw new LarmorError('ERR_SHAPE', `${who}: images must have shape [..., y, x], got ${formatShape(shape)}`);
  const n = shape[shape.length - (axis === 'y' ? 2 : 1)];
  const around = Number.isInteger(first) && Number.isInteger(end) && first >= 0 && first <= n >> 1 && end > n >> 1;
  if (!around || end > n)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `${who}: first and end must enclose the centre of 0..${n}, got ${first}, ${end}`,
    );
}

async function complete(
  images: ComplexArray,
  { axis, first, end }: OneSidedSampling,
  iterations: number,
  tolerance: number,
  options: RunOptions,
): Promise<{ x: ComplexArray; outcome: Awaited<ReturnType<typeof binding.partialFourier>> }> {
  const [ny, nx] = images.shape.slice(-2);
  const batch = points(images.shape.slice(0, -2));
  const threads = threadCount(options);
  const x = { data: images.data.slice(), shape: images.shape };
  const outcome = await runJob(Math.max(1, iterations), options, (control) =>
    binding.partialFourier(control, batch, ny, nx, axis === 'y', first, end, x.data, iterations, tolerance, threads),
  );
  return { x, outcome };
}

/**
 * Homodyne reconstruction: the part of a ramp-weighed image that is in phase with the image of the band measured on both sides.
 *
 * Exact where the phase is that of the band; quick phase, as near air or at long echo times, costs signal. The ramp raises noise.
 *
 * @param images Complex images [..., y, x] of zero-filled k-space; what their k-space holds outside `sampling` is ignored.
 * @returns Complex images of the same shape with the phase of the band.
 * @throws LarmorError `ERR_SHAPE`, `ERR_ARGUMENT`; `ERR_NOT_FINITE`. `signal.reason` when aborted.
 * @see Noll, Nishimura and Macovski, IEEE Trans Med Imaging 1991;10:154-163.
 * @example const image = await homodyne(zeroFilled, oneSidedSampling(mask, [ny, nx]));
 */
export async function homodyne(
  images: ComplexArray,
  sampling: OneSidedSampling,
  options: RunOptions = {},
): Promise<ComplexArray> {
  expectImages('homodyne', images, sampling);
  return (await complete(images, sampling, 0, 0, options)).x;
}

/** Completed images and why the iteration ended there. */
export interface PocsResult {
  readonly x: ComplexArray;
  readonly iterations: number;
  /** Change of the samples not measured at the last iteration, relative to all samples. */
  readonly change: number;
  readonly stop: 'tolerance' | 'iterations';
}

/**
 * Projection onto convex sets: in turns the image takes the phase of the band measured on both sides, and its k-space the measured samples.
 *
 * Measured samples are kept as they are, so noise is not raised as by `homodyne`.
 *
 * @param images As for `homodyne`. @param options `maxIterations`, default 20; `tolerance` bounds the change, default 1e-4.
 * @throws LarmorError as `homodyne`.
 * @see Haacke, Lindskog and Lin, J Magn Reson 1991;92:126-145.
 * @example const { x } = await pocs(zeroFilled, oneSidedSampling(mask, [ny, nx]));
 */
export async function pocs(
  images: ComplexArray,
  sampling: OneSidedSampling,
  options: IterationOptions & RunOptions = {},
): Promise<PocsResult> {
  const { maxIterations = 20, tolerance = 1e-4 } = options;
  expectImages('pocs', images, sampling);
  expectIterationOptions('pocs', maxIterations, tolerance);
  const { x, outcome } = await complete(images, sampling, maxIterations, tolerance, options);
  const [iterations, change, converged] = outcome;
  return { x, iterations, change, stop: converged ? 'tolerance' : 'iterations' };
}
