// What a scan of a training slice would have measured: a mask drawn for it, and noise.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, complexZeros } from '../arrays/complex-array.js';
import { MT19937 } from '../arrays/mt19937.js';
import { createMask, type MaskType, type SamplingMask } from '../sampling/mask.js';
import { addNoise, drawNoiseLevel, type NoiseRange } from './noise.js';

/** Retrospective undersampling of training slices along kx. */
export interface TrainingSampling {
  readonly type: MaskType;
  readonly acceleration: number | readonly number[];
  readonly centerFraction: number | readonly number[];
  /** One mask for every slice and step, as the paper has it; else every draw is new. */
  readonly fixed: boolean;
  /** Undersamples scans too that are undersampled already; else these keep all samples they have. */
  readonly further?: boolean | undefined;
  readonly seed: number;
  /** White noise added to what was measured, its level drawn anew for every draw. Brightness is the 95th percentile of the
   * root sum of squares over coils. */
  readonly noise?: NoiseRange | undefined;
}

/** Keeps the noise apart from the masks, which are drawn from the same numbers. */
const NOISE_SEED = 1;

/**
 * The samples of a draw; the same numbers give the same mask.
 *
 * @param own Samples that the scan has, where it is undersampled.
 */
export function drawMask(
  { fixed, seed, further, ...options }: TrainingSampling,
  columns: number,
  draw: readonly number[],
  own?: SamplingMask | undefined,
): SamplingMask {
  if (own && !further) return own;
  const drawn = createMask({ ...options, columns, seed: fixed ? seed : [seed, ...draw] });
  return own ? { data: own.data.map((bit, i) => bit * drawn.data[i % columns]), shape: own.shape } : drawn;
}

/**
 * What a scan under this mask would have measured: kspace [coil, ky, kx] where the mask is, with noise as `sampling` has it.
 *
 * @param brightness What noise levels are relative to, in the units of kspace. @param draw Numbers of the draw, which seed the noise.
 */
export async function measure(
  { kspace, brightness }: { readonly kspace: ComplexArray; readonly brightness: number },
  mask: SamplingMask,
  { seed, noise }: TrainingSampling,
  draw: readonly number[],
): Promise<ComplexArray> {
  const measured = await masked(kspace, mask);
  if (noise === undefined) return measured;
  const random = new MT19937([seed, ...draw, NOISE_SEED]);
  await addNoise(measured, mask, brightness * drawNoiseLevel(random, noise), random);
  return measured;
}

/** The samples of k-space [coil, ky, kx] where the mask is, zero elsewhere. */
export async function masked({ data, shape }: ComplexArray, mask: SamplingMask): Promise<ComplexArray> {
  const result = complexZeros(shape);
  const period = mask.data.length; // of columns or of points: either way as long as what repeats
  const sampled = Array.from(mask.data.keys()).filter((place) => mask.data[place] === 1);
  const points = data.length / (2 * shape[0]);
  for (let coil = 0; coil < shape[0]; coil++) {
    for (let start = coil * points; start < (coil + 1) * points; start += period)
      for (const place of sampled) {
        const i = 2 * (start + place);
        result.data[i] = data[i];
        result.data[i + 1] = data[i + 1];
      }
    await nextTurn();
  }
  return result;
}
