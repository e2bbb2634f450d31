// Training examples: slices prepared once, undersampled anew for every step.
import { type ComplexArray, complexZeros } from '../arrays/complex-array.js';
import { coilMagnitude, magnitude } from '../arrays/magnitude.js';
import { MT19937 } from '../arrays/mt19937.js';
import { percentile } from '../arrays/percentile.js';
import { toPlanes } from '../arrays/planar.js';
import { type EspiritOptions, espirit } from '../calibration/espirit.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { calibrationColumns } from '../networks/calibration-columns.js';
import { type InputKind, networkInput } from '../networks/network-input.js';
import { EncodingOperator } from '../operators/encoding.js';
import { Fft2 } from '../operators/fft2.js';
import { createMask, type MaskType, type SamplingMask } from '../sampling/mask.js';
import { addNoise, drawNoiseLevel, type NoiseRange } from './noise.js';
import type { SliceSource } from './sources.js';

/** Retrospective undersampling of training slices along kx. */
export interface TrainingSampling {
  readonly type: MaskType;
  readonly acceleration: number | readonly number[];
  readonly centerFraction: number | readonly number[];
  /** One mask for every slice and step, as the paper has it; else every draw is new. */
  readonly fixed: boolean;
  readonly seed: number;
  /** White noise added to what was measured, its level drawn anew for every draw. Brightness is the 95th percentile of the
   * root sum of squares over coils. */
  readonly noise?: NoiseRange | undefined;
}

/**
 * What a training session takes of one slice, scaled so that the network's image is of the order of 1: the names are those of
 * `TrainingSession.set`.
 */
export type TrainingSample = Readonly<Record<string, Float32Array>>;

/** Keeps the noise apart from the masks, which are drawn from the same numbers. */
const NOISE_SEED = 1;
const BRIGHTNESS_PERCENTILE = 95;

interface PreparedSlice {
  readonly kspace: ComplexArray;
  /** [coil, y, x], from the samples of the slice's first mask. */
  readonly maps: ComplexArray;
  /** The fully sampled coil images combined by the maps: [y, x]. */
  readonly target: ComplexArray;
  /** What noise levels are relative to. */
  readonly brightness: number;
}

/** How slices become examples. */
export interface DatasetOptions {
  readonly sampling: TrainingSampling;
  readonly input: InputKind;
  /** Of the coil maps; its mask is that of the sampling. */
  readonly calibration?: Omit<EspiritOptions, 'mask' | 'sets' | 'matrix'> | undefined;
}

/**
 * Slices with their coil maps, held in memory: 16 bytes per coil and pixel.
 *
 * What the network must produce is the fully sampled data combined by the same maps, which come from undersampled data as they will when
 * the network is used.
 */
export class Dataset {
  readonly coils: number;
  readonly matrix: readonly [number, number];
  readonly #slices: readonly PreparedSlice[];
  readonly #options: DatasetOptions;

  private constructor(source: SliceSource, slices: readonly PreparedSlice[], options: DatasetOptions) {
    this.coils = source.coils;
    this.matrix = source.matrix;
    this.#slices = slices;
    this.#options = options;
  }

  /** Reads and calibrates every slice of `source`. Throws as the source and `espirit` do; signal.reason when aborted. */
  static async prepare(
    source: SliceSource,
    options: DatasetOptions,
    { signal, threads, onProgress }: RunOptions = {},
  ): Promise<Dataset> {
    const slices: PreparedSlice[] = [];
    const full = fullMask(source.matrix[1]);
    for (let i = 0; i < source.length; i++) {
      const kspace = await source.read(i, { signal, threads });
      const mask = drawMask(options.sampling, source.matrix[1], [i, 0]);
      const brightness = await brightnessOf(kspace, { signal, threads });
      const measured = await measure({ kspace, brightness }, mask, options.sampling, [i, 0]);
      const estimate = await espirit(measured, { ...options.calibration, mask, signal, threads });
      const maps = { data: estimate.maps.data, shape: kspace.shape };
      const target = await new EncodingOperator({ maps, mask: full }).adjoint(kspace, { signal, threads });
      slices.push({ kspace, maps, target, brightness });
      onProgress?.((i + 1) / source.length);
    }
    return new Dataset(source, slices, options);
  }

  get length(): number {
    return this.#slices.length;
  }

  /** Slice `index` under its `draw`-th mask: the data called `names`. The same numbers give the same sample. */
  async sample(
    index: number,
    draw: number,
    names: readonly string[],
    options: RunOptions = {},
  ): Promise<TrainingSample> {
    const { kspace, maps, target } = this.#slices[index];
    const { sampling } = this.#options;
    const mask = drawMask(sampling, this.matrix[1], [index, draw]);
    const measured = await measure(this.#slices[index], mask, sampling, [index, draw]);
    const { image, scale } = await networkInput(measured, maps, mask, this.#options.input, options);
    const sampled = Float32Array.from(mask.data);
    const parts: Readonly<Record<string, () => Float32Array | Promise<Float32Array>>> = {
      image: () => planes(image, scale),
      target: () => planes(target, scale),
      targetMagnitude: () => magnitude(target).data.map((value) => scale * value),
      targetMagnitudeRange: () => Float32Array.of(scale * maximum(magnitude(target).data)),
      targetRss: async () => (await rootSumOfSquares(kspace, options)).map((value) => scale * value),
      targetRssRange: async () => Float32Array.of(scale * maximum(await rootSumOfSquares(kspace, options))),
      targetKspace: () => kspace.data.map((value) => scale * value),
      maps: () => maps.data,
      kspace: () => measured.data.map((value) => scale * value),
      mask: () => sampled,
      lossMask: () => sampled,
      heldOutMask: () => new Float32Array(sampled.length),
      calibrationMask: () => calibrationColumns(sampled),
    };
    const sample: Record<string, Float32Array> = {};
    for (const name of names) {
      if (!Object.hasOwn(parts, name)) throw new LarmorError('ERR_INTERNAL', `Dataset: no part is called ${name}`);
      sample[name] = await parts[name]();
    }
    return sample;
  }
}

/** What a scan under this mask would have measured. */
async function measure(
  { kspace, brightness }: Pick<PreparedSlice, 'kspace' | 'brightness'>,
  mask: SamplingMask,
  { seed, noise }: TrainingSampling,
  draw: readonly number[],
): Promise<ComplexArray> {
  const measured = masked(kspace, mask);
  if (noise === undefined) return measured;
  const random = new MT19937([seed, ...draw, NOISE_SEED]);
  await addNoise(measured, mask, brightness * drawNoiseLevel(random, noise), random);
  return measured;
}

/** Percentile of the root sum of squares over coils. */
async function brightnessOf(kspace: ComplexArray, options: RunOptions): Promise<number> {
  return percentile(await rootSumOfSquares(kspace, options), BRIGHTNESS_PERCENTILE);
}

const maximum = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, value), 0);

/** Of the coil images of full k-space: [y, x]. */
async function rootSumOfSquares(kspace: ComplexArray, options: RunOptions): Promise<Float32Array> {
  return coilMagnitude((await new Fft2(kspace.shape).adjoint(kspace, options)).data, kspace.shape[0]);
}

const fullMask = (columns: number): SamplingMask => ({ data: new Uint8Array(columns).fill(1), shape: [columns] });

function drawMask(
  { fixed, seed, ...options }: TrainingSampling,
  columns: number,
  draw: readonly number[],
): SamplingMask {
  return createMask({ ...options, columns, seed: fixed ? seed : [seed, ...draw] });
}

function masked({ data, shape }: ComplexArray, mask: SamplingMask): ComplexArray {
  const result = complexZeros(shape);
  const columns = mask.data.length;
  for (let i = 0; i < data.length / 2; i++) {
    if (mask.data[i % columns] === 0) continue;
    result.data[2 * i] = data[2 * i];
    result.data[2 * i + 1] = data[2 * i + 1];
  }
  return result;
}

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
