// Training examples: slices prepared once, undersampled anew for every step.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ComplexArray } from '../arrays/complex-array.js';
import { magnitude } from '../arrays/magnitude.js';
import { MT19937 } from '../arrays/mt19937.js';
import { toPlanes } from '../arrays/planar.js';
import { repeated } from '../arrays/repeated.js';
import { scaled } from '../arrays/scaled.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { calibrationColumns } from '../networks/calibration-columns.js';
import type { MaskKind } from '../networks/graph-inputs.js';
import type { InputKind } from '../networks/network-input.js';
import type { SamplingMask } from '../sampling/mask.js';
import { type Augmentation, changedSlice, drawChange } from './augmentation.js';
import { drawMask, measure } from './measurement.js';
import {
  MemoryBudget,
  type PreparedSlice,
  PreparedSlices,
  rootSumOfSquares,
  type SlicePreparation,
} from './prepared-slices.js';
import type { SliceShape, SliceSource } from './sources.js';
import { type TrainingSplit, viewOf } from './view.js';

/**
 * What a training session takes of one slice, scaled so that the network's image is of the order of 1: the names are those of
 * `TrainingSession.set`.
 */
export type TrainingSample = Readonly<Record<string, Float32Array>>;

/** Keeps changes apart from masks and noise, which are drawn from the same numbers. */
const CHANGE_SEED = 2;

/** What an example is wanted as. */
export interface SampleOptions extends RunOptions {
  /** Layout of the masks. Default: `maskKind` of the dataset. */
  readonly masks?: MaskKind | undefined;
  /** The network sees all measured samples, whatever the split. Default: false. */
  readonly whole?: boolean | undefined;
}

/** How slices become examples. */
export interface DatasetOptions extends SlicePreparation {
  readonly input: InputKind;
  /** Changes of the slices of every draw but the first, 0, which validation takes. Default: none. */
  readonly augmentation?: Augmentation | undefined;
  /** Shares out the measured samples between network and self-supervised loss. Default: both see all. */
  readonly split?: TrainingSplit | undefined;
  /** For the slices that stay in memory, and examples that wait. Default: without limit. */
  readonly memory?: MemoryBudget | undefined;
  /** Examples that will be made ahead of their use: memory is taken for these first, for as many as it holds. Default: 0. */
  readonly waiting?: number | undefined;
}

/**
 * Slices with their coil maps: 16 bytes per coil and pixel of those kept in memory.
 *
 * What the network must produce is the fully sampled data combined by the same maps, which come from undersampled data as they will when
 * the network is used. Undersampled slices have no such target: they serve losses that are self-supervised alone.
 */
export class Dataset {
  readonly #slices: PreparedSlices;
  readonly #options: DatasetOptions;

  private constructor(slices: PreparedSlices, options: DatasetOptions) {
    this.#slices = slices;
    this.#options = options;
  }

  /**
   * Reads and calibrates the slices of `source` that stay in memory: all of them, or as many as `options.memory` holds; the others are read
   * and calibrated whenever they are asked for.
   *
   * @throws LarmorError `ERR_ARGUMENT` for a source without slices; as the source and `espirit` do; signal.reason when aborted.
   */
  static async prepare(source: SliceSource, options: DatasetOptions, run: RunOptions = {}): Promise<Dataset> {
    const { memory = new MemoryBudget(), waiting = 0 } = options;
    return new Dataset(await PreparedSlices.open(source, options, memory, waiting, run), options);
  }

  get length(): number {
    return this.#slices.length;
  }

  /** How many examples may wait for their use within the memory given; without limit where none was. */
  get waiting(): number {
    return this.#options.memory ? this.#slices.waiting : Number.POSITIVE_INFINITY;
  }

  /** Size of slice `index`. */
  shape(index: number): SliceShape {
    return this.#slices.shape(index);
  }

  /** Whether slice `index` is fully sampled. */
  hasTarget(index: number): boolean {
    return this.#slices.own(index) === undefined;
  }

  /** Whether network and loss see samples of their own. */
  get splits(): boolean {
    return this.#options.split !== undefined;
  }

  /** `points` where a mask is not of whole columns. */
  get maskKind(): MaskKind {
    const points = (index: number): boolean => this.#slices.own(index)?.shape.length === 2;
    return this.splits || Array.from({ length: this.length }, (_, i) => i).some(points) ? 'points' : 'lines';
  }

  /**
   * Slice `index` under its `draw`-th mask: the data called `names`. The same numbers give the same sample.
   *
   * @throws LarmorError `ERR_ARGUMENT` for a target of a slice that has none; as `viewOf`; `ERR_MASK` where coil maps shall be made of a
   *   mask without centre lines.
   */
  async sample(
    index: number,
    draw: number,
    names: readonly string[],
    { masks = this.maskKind, whole = false, ...options }: SampleOptions = {},
  ): Promise<TrainingSample> {
    const { slice, intensity } = await this.#changed(index, draw, options);
    const { kspace, maps, own, brightness } = slice;
    const { sampling, input, split } = this.#options;
    const mask = drawMask(sampling, kspace.shape[2], [index, draw], own);
    const measured = await measure(slice, mask, sampling, [index, draw]);
    const choice = { input, split: whole ? undefined : split };
    const view = await this.#slices.naming(index, () =>
      viewOf({ kspace: measured, maps, mask, brightness }, choice, [index, draw], options),
    );
    const { image } = view;
    const scale = intensity * view.scale;
    const weights = (part: SamplingMask): Float32Array => maskValues(part, masks, kspace.shape[1]);
    const targetOf = (): ComplexArray => {
      if (slice.target) return slice.target;
      throw new LarmorError(
        'ERR_ARGUMENT',
        `Dataset: slice ${index} is undersampled, so there is nothing to compare with; use a self-supervised loss alone`,
      );
    };
    const fullKspace = (): ComplexArray => {
      targetOf();
      return kspace;
    };
    const parts: Readonly<Record<string, () => Float32Array | Promise<Float32Array>>> = {
      image: () => planes(image, scale),
      target: () => planes(targetOf(), scale),
      targetMagnitude: () => magnitude(targetOf()).data.map((value) => scale * value),
      targetMagnitudeRange: () => Float32Array.of(scale * maximum(magnitude(targetOf()).data)),
      targetRss: async () => (await rootSumOfSquares(fullKspace(), options)).map((value) => scale * value),
      targetRssRange: async () => Float32Array.of(scale * maximum(await rootSumOfSquares(fullKspace(), options))),
      targetKspace: () => scaled(fullKspace().data, scale),
      maps: () => maps.data,
      kspace: () => scaled(measured.data, scale),
      mask: () => weights(view.mask),
      lossMask: () => weights(view.lossMask),
      heldOutMask: () => new Float32Array(weights(mask).length),
      completedKspace: async () => scaled(await completed(measured, fullKspace(), mask), scale),
      complementMask: () => weights(mask).map((value) => 1 - value),
      calibrationMask: () => weights(calibrationMask(mask)),
    };
    const sample: Record<string, Float32Array> = {};
    for (const name of names) {
      if (!Object.hasOwn(parts, name)) throw new LarmorError('ERR_INTERNAL', `Dataset: no part is called ${name}`);
      sample[name] = await parts[name]();
    }
    return sample;
  }

  /** The slice as its draw has it, and the factor of its brightness. */
  async #changed(
    index: number,
    draw: number,
    options: RunOptions,
  ): Promise<{ readonly slice: PreparedSlice; readonly intensity: number }> {
    const slice = await this.#slices.get(index, options);
    const { augmentation, sampling } = this.#options;
    if (augmentation === undefined || draw === 0) return { slice, intensity: 1 };
    const random = new MT19937([sampling.seed, index, draw, CHANGE_SEED]);
    const change = drawChange(random, augmentation, slice.kspace.shape);
    return { slice: await changedSlice(slice, change), intensity: change.intensity };
  }
}

/** Samples as they were measured, those that were not as the full scan has them. */
async function completed(measured: ComplexArray, full: ComplexArray, mask: SamplingMask): Promise<Float32Array> {
  const columns = mask.data.length;
  const result = full.data.slice();
  for (let start = 0; start < result.length; start += 2 * columns) {
    for (let i = 0; i < 2 * columns; i++) if (mask.data[i >> 1] === 1) result[start + i] = measured.data[start + i];
    if ((start / (2 * columns)) % full.shape[1] === 0) await nextTurn();
  }
  return result;
}

/** A mask in the layout of a session: of columns, or of the points of so many rows. */
function maskValues({ data, shape }: SamplingMask, kind: MaskKind, rows: number): Float32Array {
  if (kind === 'lines' || shape.length === 2) return Float32Array.from(data);
  return repeated(Float32Array.from(data), rows);
}

function calibrationMask({ data, shape }: SamplingMask): SamplingMask {
  if (shape.length === 1) return { data: Uint8Array.from(calibrationColumns(Float32Array.from(data))), shape };
  throw new LarmorError(
    'ERR_MASK',
    'Dataset: networks that make coil maps need masks of whole columns, got one of points',
  );
}

const maximum = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, value), 0);

function planes(image: ComplexArray, scale: number): Float32Array {
  const result = new Float32Array(image.data.length);
  toPlanes(image, result, scale);
  return result;
}

/** Several samples as one batch. */
export function stack(samples: readonly TrainingSample[]): TrainingSample {
  if (samples.length === 0) throw new LarmorError('ERR_ARGUMENT', 'stack: wants at least one sample');
  const [first] = samples;
  if (samples.length === 1) return first;
  const joined = Object.keys(first).map((name) => {
    const { length } = first[name];
    const all = new Float32Array(length * samples.length);
    samples.forEach((sample, i) => {
      all.set(sample[name], i * length);
    });
    return [name, all] as const;
  });
  return Object.fromEntries(joined);
}
