// Slices ready to be undersampled: read, calibrated and combined, and kept in memory as far as it goes.
import type { ComplexArray } from '../arrays/complex-array.js';
import { coilMagnitude } from '../arrays/magnitude.js';
import { percentile } from '../arrays/percentile.js';
import { type EspiritOptions, espirit } from '../calibration/espirit.js';
import { LarmorError, naming } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { EncodingOperator } from '../operators/encoding.js';
import { Fft2 } from '../operators/fft2.js';
import type { SamplingMask } from '../sampling/mask.js';
import { drawMask, measure, type TrainingSampling } from './measurement.js';
import type { SliceShape, SliceSource } from './sources.js';

/** A slice and what was made of it. */
export interface PreparedSlice {
  /** [coil, ky, kx]. */
  readonly kspace: ComplexArray;
  /** Samples of a slice that is undersampled. */
  readonly own?: SamplingMask | undefined;
  /** [coil, y, x], from the samples of the slice's first mask. */
  readonly maps: ComplexArray;
  /** The fully sampled coil images combined by the maps: [y, x]. An undersampled slice has none. */
  readonly target: ComplexArray | undefined;
  /** What noise levels are relative to. */
  readonly brightness: number;
}

/** How slices are calibrated. */
export interface SlicePreparation {
  readonly sampling: TrainingSampling;
  /** Of the coil maps; its mask is that of the sampling. */
  readonly calibration?: Omit<EspiritOptions, 'mask' | 'sets' | 'matrix'> | undefined;
}

const BRIGHTNESS_PERCENTILE = 95;

/** Memory that several datasets share. */
export class MemoryBudget {
  #left: number;

  constructor(bytes = Number.POSITIVE_INFINITY) {
    this.#left = bytes;
  }

  /** How many pieces of so many bytes are left. */
  pieces(bytes: number): number {
    return Math.floor(this.#left / bytes);
  }

  /** Takes so many bytes if they are left. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }
}

/** Bytes of a prepared slice: k-space, maps and target. */
const bytesOf = ([coils, height, width]: SliceShape): number => 8 * (2 * coils + 1) * height * width;

/**
 * Bytes of an example at most: four data of all coils (measured and full k-space, the one completed by the other, maps), two complex images
 * (input, target), two magnitudes and five masks.
 */
const exampleBytes = ([coils, height, width]: SliceShape): number => 8 * (4 * coils + 5.5) * height * width;

/** Bytes of the largest example of a source. */
function largestExample(source: SliceSource): number {
  let most = 0;
  for (let i = 0; i < source.length; i += 1) most = Math.max(most, exampleBytes(source.shape(i)));
  return most;
}

/**
 * The slices of a source, prepared. The first ones, as many as the budget holds, are prepared at once and stay; every other one is prepared
 * anew whenever it is asked for. A slice is the same either way.
 */
export class PreparedSlices {
  readonly #source: SliceSource;
  readonly #options: SlicePreparation;
  readonly #kept: readonly PreparedSlice[];
  /** How many examples may wait for their use: those that memory was taken for. */
  readonly waiting: number;

  private constructor(source: SliceSource, options: SlicePreparation, kept: readonly PreparedSlice[], waiting: number) {
    this.#source = source;
    this.#options = options;
    this.#kept = kept;
    this.waiting = waiting;
  }

  /** @param wanted Examples to take memory for, before the slices get theirs: as many as it holds. @throws LarmorError `ERR_ARGUMENT` for a source without slices; as the source and `espirit`; signal.reason when aborted. */
  static async open(
    source: SliceSource,
    options: SlicePreparation,
    budget: MemoryBudget,
    wanted: number,
    { signal, threads, onProgress }: RunOptions = {},
  ): Promise<PreparedSlices> {
    const { length } = source;
    if (length < 1) throw new LarmorError('ERR_ARGUMENT', 'Dataset: the source must have a slice, it has none');
    const each = largestExample(source);
    const waiting = Math.min(wanted, budget.pieces(each));
    budget.take(waiting * each);
    const kept: PreparedSlice[] = [];
    while (kept.length < length && budget.take(bytesOf(source.shape(kept.length)))) {
      kept.push(await prepare(source, kept.length, options, { signal, threads }));
      onProgress?.(kept.length / length);
    }
    return new PreparedSlices(source, options, kept, waiting);
  }

  get length(): number {
    return this.#source.length;
  }

  /** Samples of a slice that is undersampled. */
  own(index: number): SamplingMask | undefined {
    return this.#source.mask?.(index);
  }

  shape(index: number): SliceShape {
    return this.#source.shape(index);
  }

  /** Runs `work` on slice `index`; the errors of it say which. */
  naming<T>(index: number, work: () => Promise<T>): Promise<T> {
    return naming(nameOf(this.#source, index), work);
  }

  /** Throws as the source and `espirit`. */
  async get(index: number, options: RunOptions = {}): Promise<PreparedSlice> {
    return this.#kept[index] ?? (await prepare(this.#source, index, this.#options, options));
  }
}

async function prepare(
  source: SliceSource,
  index: number,
  { sampling, calibration }: SlicePreparation,
  options: RunOptions,
): Promise<PreparedSlice> {
  const kspace = await source.read(index, options);
  const columns = kspace.shape[2];
  const draw = [index, 0];
  const own = source.mask?.(index);
  const mask = drawMask(sampling, columns, draw, own);
  const brightness = percentile(await rootSumOfSquares(kspace, options), BRIGHTNESS_PERCENTILE);
  const measured = await measure({ kspace, brightness }, mask, sampling, draw);
  const estimate = await naming(nameOf(source, index), () => espirit(measured, { ...calibration, mask, ...options }));
  const maps = { data: estimate.maps.data, shape: kspace.shape };
  const target = own
    ? undefined
    : await new EncodingOperator({ maps, mask: fullMask(columns) }).adjoint(kspace, options);
  return { kspace, own, maps, target, brightness };
}

const nameOf = ({ name }: Pick<SliceSource, 'name'>, index: number): string => name?.(index) ?? `slice ${index}`;

const fullMask = (columns: number): SamplingMask => ({ data: new Uint8Array(columns).fill(1), shape: [columns] });

/** Of the coil images: [y, x]. */
export async function rootSumOfSquares(kspace: ComplexArray, options: RunOptions): Promise<Float32Array> {
  return coilMagnitude((await new Fft2(kspace.shape).adjoint(kspace, options)).data, kspace.shape[0]);
}
