// What a reconstruction network sees of a slice: one complex image, at the amplitude it was trained with.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, complexZeros } from '../arrays/complex-array.js';
import { magnitude } from '../arrays/magnitude.js';
import { percentile } from '../arrays/percentile.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { EncodingOperator } from '../operators/encoding.js';
import { Fft2 } from '../operators/fft2.js';
import type { SamplingMask } from '../sampling/mask.js';
import type { Network } from './network.js';

export const INPUT_KINDS = ['sense', 'split-rss'] as const;

/** How the coils of the zero-filled data become the network's input image. */
export type InputKind = (typeof INPUT_KINDS)[number];

/** The percentile of the input's magnitude that is scaled to 1. */
const SCALE_PERCENTILE = 95;

/** A network's input image and its scale. */
export interface NetworkInput {
  /** Complex image [y, x] in data units, before scaling. */
  readonly image: ComplexArray;
  /** Multiply image and k-space by this: the SCALE_PERCENTILE-th percentile of |image| becomes 1, or where that is 0 the maximum. */
  readonly scale: number;
}

/**
 * Checks that a network can be given an image of this kind: networks whose equations hold A^H y take no other.
 *
 * @param who Opens the message.
 * @throws LarmorError `ERR_ARGUMENT` naming the kind that the network takes.
 */
export function checkInputKind(
  who: string,
  { kind, requires }: Pick<Network, 'kind' | 'requires'>,
  input: InputKind,
): void {
  if (requires !== undefined && input !== requires)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `${who}: input of network ${kind} must be ${JSON.stringify(requires)}, the image A^H y that its data consistency starts from; got ${JSON.stringify(input)}`,
    );
}

/**
 * The coils of undersampled k-space combined as a network sees them, [y, x] in the units of kspace.
 *
 * `sense`: A^H y, the conjugate-map combination of the zero-filled coil images. `split-rss`: the root sum of squares of
 * the coils' real parts and, apart, of their imaginary parts, as the published test-time training has it; the phase is lost.
 *
 * Shapes: kspace [coil, ky, kx], zero where the mask is; maps [coil, y, x].
 *
 * @see Darestani, Liu, Heckel, ICML 2022 (split-rss).
 */
export async function combinedImage(
  kspace: ComplexArray,
  maps: ComplexArray,
  mask: SamplingMask,
  kind: InputKind,
  options: RunOptions = {},
): Promise<ComplexArray> {
  return kind === 'sense' ? new EncodingOperator({ maps, mask }).adjoint(kspace, options) : splitRss(kspace, options);
}

/**
 * The network's input for undersampled k-space: the combined image, and the scale at which the network was trained to see it.
 *
 * Shapes: kspace [coil, ky, kx], zero where the mask is; maps [coil, y, x]; image [y, x] in the units of kspace.
 *
 * @throws LarmorError `ERR_NOT_FINITE` or `ERR_ARGUMENT` when the zero-filled image is empty, so that no scale exists.
 */
export async function networkInput(
  kspace: ComplexArray,
  maps: ComplexArray,
  mask: SamplingMask,
  kind: InputKind,
  options: RunOptions = {},
): Promise<NetworkInput> {
  const image = await combinedImage(kspace, maps, mask, kind, options);
  return { image, scale: 1 / brightness(magnitude(image).data) };
}

/**
 * What becomes 1 of a zero-filled image: the SCALE_PERCENTILE-th percentile of its magnitudes.
 *
 * @throws LarmorError `ERR_NOT_FINITE` or `ERR_ARGUMENT` when the image is empty.
 */
export function brightness(magnitudes: Float32Array): number {
  // An object on less than a twentieth of the image leaves the percentile at zero.
  const level =
    percentile(magnitudes, SCALE_PERCENTILE) || magnitudes.reduce((most, value) => Math.max(most, value), 0);
  if (!Number.isFinite(level))
    throw new LarmorError('ERR_NOT_FINITE', 'networkInput: the zero-filled image holds NaN or infinity');
  if (level <= 0)
    throw new LarmorError(
      'ERR_ARGUMENT',
      'networkInput: the zero-filled image must not be zero throughout; the slice holds no signal inside the coil maps',
    );
  return level;
}

async function splitRss(kspace: ComplexArray, options: RunOptions): Promise<ComplexArray> {
  const [coils, ...shape] = kspace.shape;
  const images = await new Fft2(kspace.shape).adjoint(kspace, options);
  const combined = complexZeros(shape);
  const n = combined.data.length;
  const sums = new Float64Array(n);
  for (let c = 0; c < coils; c += 1) {
    for (let i = 0; i < n; i += 1) sums[i] += images.data[c * n + i] ** 2;
    await nextTurn();
  }
  for (let i = 0; i < n; i += 1) combined.data[i] = Math.sqrt(sums[i]);
  return combined;
}
