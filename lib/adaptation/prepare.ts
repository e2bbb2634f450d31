// A measurement as adaptation uses it: scaled, and with its samples shared out between the network, the loss and the judge.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, formatShape } from '../arrays/complex-array.js';
import type { Seed } from '../arrays/mt19937.js';
import { fromPlanes, toPlanes } from '../arrays/planar.js';
import { repeated } from '../arrays/repeated.js';
import { scaled } from '../arrays/scaled.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import type { MaskKind, MeasurementShapes } from '../networks/graph-inputs.js';
import { isImageNetwork } from '../networks/image-network.js';
import type { Model } from '../networks/model.js';
import { combinedImage, networkInput } from '../networks/network-input.js';
import { EncodingOperator } from '../operators/encoding.js';
import { Mask, maskWeights } from '../operators/mask.js';
import { type SamplingMask, sampledCount } from '../sampling/mask.js';
import { splitMask } from '../sampling/splits.js';
import { ssduSplit } from '../sampling/ssdu.js';
import type { AdaptationSettings } from './options.js';

/** The measurement that a network adapts to. */
export interface MeasuredSlice {
  /** [coil, ky, kx], zero where the mask is. */
  readonly kspace: ComplexArray;
  /** [coil, y, x], or [1, coil, y, x]. */
  readonly maps: ComplexArray;
  readonly mask: SamplingMask;
  /** Draws the held-out samples. */
  readonly seed: Seed;
}

/** Inputs of a `TrainingSession` by name, for a batch of one. */
export type SessionData = Readonly<Record<string, Float32Array>>;

/** A slice in the layout and at the amplitude that the network was trained with. */
export interface AdaptationSlice {
  /** [coils, height, width]. */
  readonly sizes: readonly [number, number, number];
  readonly seed: Seed;
  /** Multiplies images of the network to give data units. */
  readonly unit: number;
  /** What never changes: maps and all measured samples. */
  readonly data: SessionData;
  /** Image and masks with which the held-out samples judge. */
  readonly judged: SessionData;
  /** The same with an image of all samples, which makes the result. The same object as `judged` where nothing differs. */
  readonly whole: SessionData;
  /** Image and masks of a training step counted from 0, where every step has its own; others train on `judged`. */
  readonly draw: ((step: number, options?: RunOptions) => Promise<SessionData>) | undefined;
  /** Misfit of every held-out sample to what the network gave: over coils, |Re| + |Im|, at the network's amplitude. */
  misfits(output: Float32Array, options?: RunOptions): Promise<Float64Array>;
  readonly maskKinds: Required<Pick<MeasurementShapes, 'mask' | 'lossMask'>>;
}

const kindOf = ({ shape }: SamplingMask): MaskKind => (shape.length === 1 ? 'lines' : 'points');

/** Side of the centre that networks with the measurement inside always see. */
const PROTECTED_CENTER = 4;

/**
 * Splits, combines and scales a measurement. Held-out samples V of all samples Omega are drawn once. With `loss.samples: 'all'` network
 * and loss see the rest, and the network V too unless `removeFromInput`. With `'disjoint'` every step splits the rest, afresh or in one of
 * `loss.pairs` ways, into what the network sees and what the loss looks at, so that the loss never sees its own input.
 *
 * An image of fewer samples is weaker. Networks that take the mask know that; the images of others are multiplied by the ratio of the
 * counts of samples where these were left out evenly: as points, and of the centre too.
 *
 * @throws LarmorError `ERR_SHAPE` when kspace and maps disagree or there are several sets of maps; `ERR_ARGUMENT` when the mask
 *   cannot be split as the settings ask; `ERR_MASK`; `ERR_NOT_FINITE`.
 * @see Yaman, Hosseini, Akcakaya, Zero-Shot Self-Supervised Learning for MRI Reconstruction, ICLR 2022 (disjoint).
 */
export async function prepareSlice(
  { kspace, maps, mask, seed }: MeasuredSlice,
  model: Model,
  { heldOut, loss, input = model.input }: Pick<AdaptationSettings, 'heldOut' | 'loss' | 'input'>,
  options: RunOptions = {},
): Promise<AdaptationSlice> {
  const [coils, height, width] = kspace.shape;
  const mapShape = maps.shape.length === 4 && maps.shape[0] === 1 ? maps.shape.slice(1) : maps.shape;
  if (kspace.shape.length !== 3 || formatShape(mapShape) !== formatShape(kspace.shape))
    throw new LarmorError(
      'ERR_SHAPE',
      `adaptation: maps must be one set of the shape of kspace ${formatShape(kspace.shape)}, got ${formatShape(maps.shape)}`,
    );
  const oneSet: ComplexArray = { data: maps.data, shape: mapShape };
  const disjoint = loss.samples === 'disjoint';
  const { kind, fraction, replacement } = heldOut;
  const size = { rows: height, columns: width };
  const judging = { kind, fraction, replacement, protectedCenter: heldOut.protectedCenter };
  const split = splitMask(mask, { ...size, ...judging, seed });
  const leavesOut = disjoint || heldOut.removeFromInput;
  const maskKinds = {
    mask: disjoint || (leavesOut && kind === 'points') ? 'points' : kindOf(mask),
    lossMask: disjoint ? 'points' : kindOf(split.train),
  } as const;
  const imageOnly = isImageNetwork(model.network);
  const { protectedCenter = imageOnly ? 0 : PROTECTED_CENTER } = loss;
  const evenly =
    kind === 'points' &&
    !heldOut.protectedCenter &&
    !(disjoint && (protectedCenter > 0 || loss.kind === 'ssdu-gaussian'));
  const samples = (part: SamplingMask): number => sampledCount(part) * (kindOf(part) === 'lines' ? height : 1);
  const weights = (part: SamplingMask, as: MaskKind): Float32Array => {
    const values = maskWeights('adaptation', part, height, width);
    if (as === kindOf(part)) return values;
    return repeated(values, height);
  };

  const { image, scale } = await networkInput(kspace, oneSet, mask, input, options);
  const planes = (seen: ComplexArray, factor: number): Float32Array => {
    const result = new Float32Array(2 * height * width);
    toPlanes(seen, result, factor);
    return result;
  };
  const whole = { image: planes(image, scale), mask: weights(mask, maskKinds.mask) };
  const view = async (seen: SamplingMask, run: RunOptions): Promise<SessionData> => {
    if (seen === mask) return whole;
    const kept = await new Mask(seen, kspace.shape).apply(kspace, run);
    const factor = imageOnly && evenly ? samples(mask) / samples(seen) : 1;
    const part = await combinedImage(kept, oneSet, seen, input, run);
    return { image: planes(part, scale * factor), mask: weights(seen, maskKinds.mask) };
  };
  const heldOutMask = weights(split.heldOut, maskKinds.lossMask);
  const lossMasks = { lossMask: weights(split.train, maskKinds.lossMask), heldOutMask };
  const judged = { ...(await view(leavesOut ? split.train : mask, options)), ...lossMasks };
  const draw = async (step: number, run: RunOptions = {}): Promise<SessionData> => {
    const which = loss.pairs === undefined ? step : step % loss.pairs;
    const drawn = {
      ...size,
      kind: loss.kind,
      fraction: loss.fraction,
      protectedCenter,
      seed: [seed, which + 1].flat(),
    };
    const { mask: seen, lossMask } = ssduSplit(split.train, drawn);
    return { ...(await view(seen, run)), lossMask: weights(lossMask, 'points'), heldOutMask };
  };
  const data = { maps: maps.data, kspace: await scaled(kspace.data, scale) };
  const misfits = async (output: Float32Array, run: RunOptions = {}): Promise<Float64Array> => {
    const encoding = new EncodingOperator({ maps: oneSet, mask: split.heldOut });
    const predicted = await encoding.apply(fromPlanes(output, [height, width], 1), run);
    return misfitsOf(predicted.data, data.kspace, weights(split.heldOut, 'points'));
  };
  return {
    sizes: [coils, height, width],
    seed,
    unit: 1 / scale,
    data,
    judged,
    whole: leavesOut ? { ...whole, ...lossMasks } : judged,
    draw: disjoint ? draw : undefined,
    misfits,
    maskKinds,
  };
}

/** Sum over coils of |Re r| + |Im r| at every point of a mask, r being the difference of two k-spaces [coil, y, x]. */
async function misfitsOf(predicted: Float32Array, measured: Float32Array, mask: Float32Array): Promise<Float64Array> {
  const points = new Uint32Array(mask.length);
  let count = 0;
  for (let i = 0; i < mask.length; i += 1) if (mask[i] === 1) points[count++] = i;
  const sums = new Float64Array(count);
  for (let coil = 0; coil < measured.length; coil += 2 * mask.length) {
    for (let k = 0; k < count; k += 1) {
      const i = coil + 2 * points[k];
      sums[k] += Math.abs(predicted[i] - measured[i]) + Math.abs(predicted[i + 1] - measured[i + 1]);
    }
    await nextTurn();
  }
  return sums;
}
