// From the complex images of a method to the magnitude that a scan's result holds: partial Fourier, filter, interpolation, root sum of
// squares, crop.
import { type ComplexArray, points, type RealArray } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import type { Scan } from '../io/scan.js';
import type { RunOptions } from '../jobs.js';
import { centerCrop } from '../metrics/metrics.js';
import { Resample } from '../operators/resample.js';
import { type WindowOptions, windowSettings } from '../operators/window.js';
import type { SamplingMask } from '../sampling/mask.js';
import { homodyne, type OneSidedSampling, oneSidedSampling, pocs } from '../solvers/partial-fourier.js';
import { combineComponents } from './images.js';

export const PARTIAL_FOURIER = ['none', 'homodyne', 'pocs'] as const;

/** What is done to the images of any method. */
export interface FinishingOptions {
  /** Completes k-space of which one side was not measured. Default: none, which leaves what the method made of it. */
  readonly partialFourier?: (typeof PARTIAL_FOURIER)[number] | undefined;
  /** Damps the edges of k-space, against Gibbs ringing and noise. Default: none. */
  readonly filter?: WindowOptions | undefined;
  /** Size [y, x] of the image, at least the scan's, or a factor of at least 1: k-space is filled with zeros. Then nothing is measured. */
  readonly interpolate?: number | readonly [number, number] | undefined;
}

/** Checked options of one scan. */
export interface Finishing {
  readonly partialFourier: ({ readonly method: 'homodyne' | 'pocs' } & OneSidedSampling) | undefined;
  readonly filter: WindowOptions | undefined;
  /** [y, x] of the images before they are cropped. */
  readonly matrix: readonly [number, number];
  /** [y, x] of the result. */
  readonly imageShape: readonly [number, number];
  readonly interpolated: boolean;
}

/** @throws LarmorError `ERR_ARGUMENT` naming the first wrong option; `ERR_MASK` where partial Fourier meets a two-sided mask. */
export function planFinishing(
  scan: Pick<Scan, 'matrix' | 'imageShape' | 'acquiredColumns'>,
  mask: SamplingMask,
  { partialFourier = 'none', filter, interpolate }: FinishingOptions,
): Finishing {
  if (!PARTIAL_FOURIER.includes(partialFourier))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `reconstruct: partialFourier must be one of ${PARTIAL_FOURIER.join(', ')}, got ${partialFourier}`,
    );
  const sampling = partialFourier === 'none' ? undefined : oneSidedSampling(mask, scan.matrix, scan.acquiredColumns);
  return {
    partialFourier: sampling && partialFourier !== 'none' ? { method: partialFourier, ...sampling } : undefined,
    filter: filter && windowSettings('reconstruct: filter', filter),
    ...interpolatedSizes(scan, interpolate),
  };
}

function interpolatedSizes(
  { matrix, imageShape }: Pick<Scan, 'matrix' | 'imageShape'>,
  interpolate: FinishingOptions['interpolate'],
): Pick<Finishing, 'matrix' | 'imageShape' | 'interpolated'> {
  if (interpolate === undefined) return { matrix, imageShape, interpolated: false };
  const wanted =
    typeof interpolate === 'number' ? imageShape.map((n) => Math.round(n * interpolate)) : Array.from(interpolate);
  const fits = wanted.length === 2 && wanted.every((n, axis) => Number.isSafeInteger(n) && n >= imageShape[axis]);
  if (!fits)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `reconstruct: interpolate must be a factor of at least 1 or a size of at least [${imageShape}], got ${interpolate}`,
    );
  const [y, x] = wanted;
  const enlarged = ([y, x] as const).map((n, axis) => Math.round((matrix[axis] * n) / imageShape[axis]));
  return { matrix: [enlarged[0], enlarged[1]], imageShape: [y, x], interpolated: true };
}

/** Magnitude [y, x] of the complex images [y, x] or [component, y, x] of a slice, cropped. */
export async function finish(image: ComplexArray, plan: Finishing, run: RunOptions = {}): Promise<RealArray> {
  const { partialFourier, filter: window, matrix: size, interpolated } = plan;
  let images = image;
  if (partialFourier?.method === 'homodyne') images = await homodyne(images, partialFourier, run);
  else if (partialFourier) images = (await pocs(images, partialFourier, run)).x;
  if (window || interpolated) images = await new Resample(images.shape, { size, window }).apply(images, run);
  return centerCrop(await combineComponents(images), plan.imageShape);
}

/** Bytes that finishing takes beside the images of a method, so many of `small` points. */
export function finishingBytes(
  { partialFourier, filter, matrix, interpolated }: Finishing,
  components: number,
  small: number,
): number {
  const completed = partialFourier ? small : 0;
  const completing = partialFourier ? 2 * small : 0; // k-space and phase
  const resampling = filter || interpolated ? small + points(matrix) : 0;
  return 8 * components * (completed + Math.max(completing, resampling));
}
