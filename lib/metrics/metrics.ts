// Image quality against a reference, by the formulas of fastMRI's evaluation.
import { formatShape, type RealArray, realZeros, sameShape } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { ssimSlice } from './ssim.js';

/** What metrics relate errors to. */
export interface MetricOptions {
  /** L of SSIM and PSNR. Default: the maximum of the whole reference. */
  readonly dataRange?: number | undefined;
}

/** How near a prediction comes to its reference. */
export interface Metrics {
  /** Mean over slices, 7x7 uniform window, fastMRI's definition. */
  readonly ssim: number;
  /** SSIM after each predicted slice took over the reference slice's mean and deviation; L is the slice's maximum. */
  readonly ssimMatched: number;
  /** 10 log10(L^2 / MSE), in decibels; infinite for equal volumes. */
  readonly psnr: number;
  /** ||reference - prediction||^2 / ||reference||^2. */
  readonly nmse: number;
  /** Mean squared error. */
  readonly mse: number;
}

interface Pair {
  readonly reference: Float32Array;
  readonly prediction: Float32Array;
  readonly slices: number;
  readonly height: number;
  readonly width: number;
}

/** Both as volumes of [slice, y, x]; a single image [y, x] counts as one slice. */
function pairOf(who: string, reference: RealArray, prediction: RealArray): Pair {
  const [height = 0, width = 0] = reference.shape.slice(-2);
  const slices = reference.shape[reference.shape.length - 3] ?? 1;
  const rank = reference.shape.length;
  if ((rank !== 2 && rank !== 3) || !sameShape(reference.shape, prediction.shape))
    throw new LarmorError(
      'ERR_SHAPE',
      `${who}: prediction must have the shape of the reference, [slice, y, x] or [y, x]; ` +
        `got ${formatShape(prediction.shape)} for a reference of ${formatShape(reference.shape)}`,
    );
  const length = slices * height * width;
  if (length === 0 || reference.data.length !== length || prediction.data.length !== length)
    throw new LarmorError('ERR_SHAPE', `${who}: shape ${formatShape(reference.shape)} must hold ${length} > 0 values`);
  for (const { data } of [reference, prediction])
    for (const value of data)
      if (!Number.isFinite(value)) throw new LarmorError('ERR_NOT_FINITE', `${who}: images hold NaN or infinity`);
  return { reference: reference.data, prediction: prediction.data, slices, height, width };
}

function maximum(values: Float32Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > largest) largest = value;
  return largest;
}

function rangeOf({ reference }: Pair, { dataRange }: MetricOptions): number {
  const range = dataRange ?? maximum(reference);
  if (range > 0 && Number.isFinite(range)) return range;
  throw new LarmorError(
    'ERR_ARGUMENT',
    `metrics: the data range (maximum of the reference) must be positive, got ${range}`,
  );
}

function squaredError({ reference, prediction }: Pair): number {
  let sum = 0;
  for (let i = 0; i < reference.length; ++i) sum += (reference[i] - prediction[i]) ** 2;
  return sum;
}

function energy({ reference }: Pair): number {
  let sum = 0;
  for (const value of reference) sum += value * value;
  if (sum > 0) return sum;
  throw new LarmorError('ERR_ARGUMENT', 'metrics: the reference is zero everywhere');
}

function expectWindow(who: string, { height, width }: Pair): void {
  if (height < 7 || width < 7)
    throw new LarmorError('ERR_SHAPE', `${who}: slices must be at least 7 x 7, got ${height} x ${width}`);
}

/** Slice `index` of `volume`, a view. */
function sliceOf(volume: Float32Array, { height, width }: Pair, index: number): Float32Array {
  return volume.subarray(index * height * width, (index + 1) * height * width);
}

function meanSsim(pair: Pair, dataRange: number): number {
  expectWindow('ssim', pair);
  let sum = 0;
  for (let s = 0; s < pair.slices; ++s)
    sum += ssimSlice(
      sliceOf(pair.reference, pair, s),
      sliceOf(pair.prediction, pair, s),
      pair.height,
      pair.width,
      dataRange,
    );
  return sum / pair.slices;
}

/** Mean and population standard deviation. */
function moments(values: Float32Array): { mean: number; deviation: number } {
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / values.length) };
}

/** `prediction` with the mean and standard deviation of `reference`; a constant prediction becomes the mean. */
function matched(reference: Float32Array, prediction: Float32Array): Float64Array {
  const want = moments(reference);
  const got = moments(prediction);
  const gain = got.deviation > 0 ? want.deviation / got.deviation : 0;
  const result = new Float64Array(prediction.length); // filled by hand: Float64Array.from takes ten times as long
  for (let i = 0; i < result.length; ++i) result[i] = (prediction[i] - got.mean) * gain + want.mean;
  return result;
}

function meanMatchedSsim(pair: Pair): number {
  expectWindow('ssimMatched', pair);
  let sum = 0;
  for (let s = 0; s < pair.slices; ++s) {
    const reference = sliceOf(pair.reference, pair, s);
    const prediction = matched(reference, sliceOf(pair.prediction, pair, s));
    // A slice of zeros has no scale of its own: any positive range gives the same constants.
    const range = maximum(reference) > 0 ? maximum(reference) : 1;
    sum += ssimSlice(reference, prediction, pair.height, pair.width, range);
  }
  return sum / pair.slices;
}

/** Mean squared error over the volume. Shapes [slice, y, x] or [y, x]. */
export function mse(reference: RealArray, prediction: RealArray): number {
  return squaredError(pairOf('mse', reference, prediction)) / reference.data.length;
}

/** ||reference - prediction||^2 / ||reference||^2 over the volume. Shapes [slice, y, x] or [y, x]. */
export function nmse(reference: RealArray, prediction: RealArray): number {
  const pair = pairOf('nmse', reference, prediction);
  return squaredError(pair) / energy(pair);
}

/** 10 log10(L^2 / MSE) over the volume, in decibels. Shapes [slice, y, x] or [y, x]. */
export function psnr(reference: RealArray, prediction: RealArray, options: MetricOptions = {}): number {
  const pair = pairOf('psnr', reference, prediction);
  return 10 * Math.log10(rangeOf(pair, options) ** 2 / (squaredError(pair) / pair.reference.length));
}

/**
 * Structural similarity as fastMRI's evaluation computes it, mean over slices.
 *
 * @throws LarmorError `ERR_SHAPE` if shapes differ or a side is below 7; `ERR_NOT_FINITE`; `ERR_ARGUMENT` if the data
 *   range is not positive.
 */
export function ssim(reference: RealArray, prediction: RealArray, options: MetricOptions = {}): number {
  const pair = pairOf('ssim', reference, prediction);
  return meanSsim(pair, rangeOf(pair, options));
}

/**
 * SSIM after matching each predicted slice to the mean and standard deviation of its reference slice, L being the
 * slice's maximum; mean over slices. Not comparable with `ssim`.
 *
 * @see Darestani, Liu, Heckel, ICML 2022.
 */
export function ssimMatched(reference: RealArray, prediction: RealArray): number {
  return meanMatchedSsim(pairOf('ssimMatched', reference, prediction));
}

/**
 * All metrics of a volume [slice, y, x] or an image [y, x]; throws as `ssim` and `nmse` do.
 *
 * Runs on the calling thread, about 20 ms per slice of 320 x 320: a service evaluates slice by slice, with the volume's
 * `dataRange`.
 */
export function evaluateVolume(reference: RealArray, prediction: RealArray, options: MetricOptions = {}): Metrics {
  const pair = pairOf('evaluateVolume', reference, prediction);
  const range = rangeOf(pair, options);
  const error = squaredError(pair);
  const mean = error / pair.reference.length;
  return {
    ssim: meanSsim(pair, range),
    ssimMatched: meanMatchedSsim(pair),
    psnr: 10 * Math.log10(range ** 2 / mean),
    nmse: error / energy(pair),
    mse: mean,
  };
}

/**
 * The central `height` x `width` part of the last two axes, starting at floor((n - size) / 2) as fastMRI crops.
 *
 * @throws LarmorError `ERR_SHAPE` if the part is larger than the image.
 */
export function centerCrop(image: RealArray, [height, width]: readonly [number, number]): RealArray {
  const [rows = 0, columns = 0] = image.shape.slice(-2);
  if (!(height >= 1 && height <= rows && width >= 1 && width <= columns))
    throw new LarmorError(
      'ERR_SHAPE',
      `centerCrop: size must lie in 1..${rows} x 1..${columns}, got ${height} x ${width}`,
    );
  const top = (rows - height) >> 1;
  const left = (columns - width) >> 1;
  const cropped = realZeros([...image.shape.slice(0, -2), height, width]);
  for (let row = 0; row * width < cropped.data.length; ++row) {
    const from = (Math.floor(row / height) * rows + top + (row % height)) * columns + left;
    cropped.data.set(image.data.subarray(from, from + width), row * width);
  }
  return cropped;
}
