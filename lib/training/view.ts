// What a training example shows of the measured samples: which of them the network sees, and which its self-supervised loss looks at.
import type { ComplexArray } from '../arrays/complex-array.js';
import { MT19937 } from '../arrays/mt19937.js';
import type { RunOptions } from '../jobs.js';
import { combinedImage, type InputKind, networkInput } from '../networks/network-input.js';
import type { SamplingMask } from '../sampling/mask.js';
import { type SsduOptions, ssduSplit } from '../sampling/ssdu.js';
import { masked } from './measurement.js';
import { addNoise } from './noise.js';

/** Noise that the network sees beside that of the scan: see `withoutAddedNoise`. */
export interface AddedNoise {
  /** Deviation of real and imaginary part of the scan's own noise, relative to the brightness of the image. */
  readonly level: number;
  /** Deviation of the added noise, relative to that. */
  readonly alpha: number;
}

/** Division of the measured samples between network and loss, as `ssduSplit` has it. */
export interface TrainingSplit extends Pick<SsduOptions, 'kind' | 'fraction' | 'protectedCenter' | 'widthDivisor'> {
  /** Divisions of every slice, one of which is drawn for every step. Default: every draw is new. */
  readonly masks?: number | undefined;
  readonly seed: number;
  /** Robust training: the network sees this noise too, and the loss looks at all measured samples. */
  readonly noise?: AddedNoise | undefined;
}

/** Keep these draws apart from others of the same numbers. */
const SEEDS = { split: 11, choice: 12, noise: 13 } as const;

/** A measured slice. */
interface Measured {
  /** [coil, ky, kx], zero where the mask is. */
  readonly kspace: ComplexArray;
  /** [coil, y, x]. */
  readonly maps: ComplexArray;
  readonly mask: SamplingMask;
  /** What noise levels are relative to, in the units of kspace. */
  readonly brightness: number;
}

/** What network and loss see of a slice. */
export interface View {
  /** The network's input [y, x], in the units of kspace. */
  readonly image: ComplexArray;
  /** Multiplies image and k-space. */
  readonly scale: number;
  /** Samples that the network sees. */
  readonly mask: SamplingMask;
  /** Samples that the loss looks at. */
  readonly lossMask: SamplingMask;
}

/**
 * Network and loss see all samples, or, with a split, each a part of their own. The scale is always that of all samples: the truth so has
 * one amplitude, in training as in use, where the network sees them all.
 *
 * @throws LarmorError as `networkInput` and `ssduSplit`.
 */
export async function viewOf(
  { kspace, maps, mask, brightness }: Measured,
  { input, split }: { readonly input: InputKind; readonly split?: TrainingSplit | undefined },
  draw: readonly [index: number, draw: number],
  options: RunOptions,
): Promise<View> {
  const { image, scale } = await networkInput(kspace, maps, mask, input, options);
  if (!split) return { image, scale, mask, lossMask: mask };
  const parts = divided(mask, kspace.shape[1], split, draw);
  const seen = await masked(kspace, parts.mask);
  if (split.noise) {
    const random = new MT19937([split.seed, ...draw, SEEDS.noise]);
    await addNoise(seen, parts.mask, split.noise.alpha * split.noise.level * brightness, random);
  }
  const part = await combinedImage(seen, maps, parts.mask, input, options);
  return { image: part, scale, mask: parts.mask, lossMask: split.noise ? mask : parts.lossMask };
}

function divided(
  mask: SamplingMask,
  rows: number,
  { masks, seed, noise: _, ...split }: TrainingSplit,
  [index, draw]: readonly [number, number],
): ReturnType<typeof ssduSplit> {
  const random = new MT19937([seed, index, draw, SEEDS.choice]);
  const which = masks === undefined ? draw : Math.floor(random.uniform(0, masks));
  const columns = mask.shape[mask.shape.length - 1];
  return ssduSplit(mask, { ...split, rows, columns, seed: [seed, index, which, SEEDS.split] });
}
