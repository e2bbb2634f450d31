// A measurement as adaptation uses it: scaled, and with its samples shared out between the network, the loss and the judge.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ComplexArray } from '../arrays/complex-array.js';
import type { Seed } from '../arrays/mt19937.js';
import { repeated } from '../arrays/repeated.js';
import { scaled } from '../arrays/scaled.js';
import type { RunOptions } from '../jobs.js';
import type { MaskKind, MeasurementShapes } from '../networks/graph-inputs.js';
import { isImageNetwork } from '../networks/image-network.js';
import type { Model } from '../networks/model.js';
import { maskWeights } from '../operators/mask.js';
import { type SamplingMask, sampledCount } from '../sampling/mask.js';
import { splitMask } from '../sampling/splits.js';
import { ssduSplit } from '../sampling/ssdu.js';
import type { AdaptationSettings } from './options.js';
import { type MeasuredSlice, type SessionData, viewpointOf } from './viewpoint.js';

/** A slice in the layout and at the amplitude that the network was trained with. */
export interface AdaptationSlice {
  /** [coils, height, width]. */
  readonly sizes: readonly [number, number, number];
  readonly seed: Seed;
  /** The network's output in data units: [y, x], or [coil, y, x] of networks that give coil images. */
  image(output: Float32Array): Promise<ComplexArray>;
  /** What never changes: all measured samples, and maps or the columns that they are made of. */
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
 * A network that makes coil maps always sees the columns that it makes them of: they are neither held out nor drawn for a disjoint loss,
 * unless there are no others.
 *
 * An image of fewer samples is weaker. Networks that take the mask know that; the images of others are multiplied by the ratio of the
 * counts of samples where these were left out evenly: as points, and of the centre too.
 *
 * @throws LarmorError `ERR_ARGUMENT` when the mask cannot be split as the settings ask; `ERR_MASK`; as `viewpointOf`.
 * @see Yaman, Hosseini, Akcakaya, Zero-Shot Self-Supervised Learning for MRI Reconstruction, ICLR 2022 (disjoint).
 */
export async function prepareSlice(
  measured: MeasuredSlice,
  model: Model,
  { heldOut, loss, input = model.input }: Pick<AdaptationSettings, 'heldOut' | 'loss' | 'input'>,
  options: RunOptions = {},
): Promise<AdaptationSlice> {
  const { kspace, seed } = measured;
  const [coils, height, width] = kspace.shape;
  const viewpoint = await viewpointOf(measured, model, input, options);
  const { mask, scale } = viewpoint;
  const disjoint = loss.samples === 'disjoint';
  const { kind, fraction, replacement } = heldOut;
  const size = { rows: height, columns: width };
  const judging = { kind, fraction, replacement, protectedCenter: heldOut.protectedCenter };
  const { shared, always } = without(mask, viewpoint.calibration);
  const split = splitMask(shared, { ...size, ...judging, seed });
  const train = together(split.train, always);
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
    return as === kindOf(part) ? values : repeated(values, height);
  };
  const view = async (seen: SamplingMask, run: RunOptions): Promise<SessionData> => {
    const factor = imageOnly && evenly && seen !== mask ? samples(mask) / samples(seen) : 1;
    return { ...(await viewpoint.show(seen, factor, run)), mask: weights(seen, maskKinds.mask) };
  };
  const whole = await view(mask, options);
  const heldOutMask = weights(split.heldOut, maskKinds.lossMask);
  const lossMasks = { lossMask: weights(train, maskKinds.lossMask), heldOutMask };
  const judged = { ...(leavesOut ? await view(train, options) : whole), ...lossMasks };
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
    return { ...(await view(together(seen, always), run)), lossMask: weights(lossMask, 'points'), heldOutMask };
  };
  const data = {
    ...viewpoint.data,
    ...(viewpoint.calibration && { calibrationMask: weights(viewpoint.calibration, maskKinds.mask) }),
    kspace: await scaled(kspace.data, scale),
  };
  const misfits = async (output: Float32Array, run: RunOptions = {}): Promise<Float64Array> => {
    const predicted = await viewpoint.samples(output, split.heldOut, run);
    return misfitsOf(predicted.data, data.kspace, weights(split.heldOut, 'points'));
  };
  return {
    sizes: [coils, height, width],
    seed,
    image: viewpoint.image,
    data,
    judged,
    whole: leavesOut ? { ...whole, ...lossMasks } : judged,
    draw: disjoint ? draw : undefined,
    misfits,
    maskKinds,
  };
}

/** The mask without some columns, to be shared out, and these, unless that leaves nothing. */
function without(
  mask: SamplingMask,
  columns: SamplingMask | undefined,
): { readonly shared: SamplingMask; readonly always: SamplingMask | undefined } {
  const width = mask.shape[mask.shape.length - 1];
  const shared = columns && { ...mask, data: mask.data.map((bit, i) => bit & (1 - columns.data[i % width])) };
  return shared?.data.includes(1) ? { shared, always: columns } : { shared: mask, always: undefined };
}

/** The samples of a mask and those of whole columns. */
function together(mask: SamplingMask, columns: SamplingMask | undefined): SamplingMask {
  const width = mask.shape[mask.shape.length - 1];
  return columns ? { ...mask, data: mask.data.map((bit, i) => bit | columns.data[i % width]) } : mask;
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
