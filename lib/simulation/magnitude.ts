// Magnitude slices as sources of simulated scans: resampled to square pixels, varied for training.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { formatShape, points, type RealArray, realZeros } from '../arrays/complex-array.js';
import type { MT19937 } from '../arrays/mt19937.js';
import { percentile } from '../arrays/percentile.js';
import { sliceAt } from '../arrays/slices.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';

/** A target pixel as a weighted sum of the source pixels from `first` on. */
interface Coverage {
  readonly first: number;
  readonly weights: readonly number[];
}

/** `count` target pixels across `extent` source pixels, both centred alike; what lies beyond the source is zero. */
function coverages(source: number, extent: number, count: number): Coverage[] {
  const step = extent / count;
  const origin = (source - extent) / 2;
  // A box at least one source pixel wide, read against the source's own boxes: area average or linear blend.
  const half = Math.max(step, 1) / 2;
  return Array.from({ length: count }, (_, i) => {
    const middle = origin + (i + 0.5) * step;
    const first = Math.max(0, Math.floor(middle - half));
    const last = Math.min(source, Math.ceil(middle + half));
    const weights = Array.from({ length: Math.max(0, last - first) }, (_, k) => {
      const overlap = Math.min(first + k + 1, middle + half) - Math.max(first + k, middle - half);
      return Math.max(0, overlap) / (2 * half);
    });
    return { first, weights };
  });
}

/** Resamples the rows of `from` [lines, source] into the columns of `to` [target, lines]: twice is both axes. */
function resampleTransposed(
  from: Float32Array | Float64Array,
  source: number,
  targets: readonly Coverage[],
  to: Float32Array | Float64Array,
): void {
  const lines = from.length / source;
  targets.forEach(({ first, weights }, target) => {
    for (let line = 0; line < lines; ++line) {
      let sum = 0;
      for (let k = 0, p = line * source + first; k < weights.length; ++k, ++p) sum += weights[k] * from[p];
      to[target * lines + line] = sum;
    }
  });
}

/**
 * Slices on a square grid of square pixels that holds the whole source, zeros beside it: area average when shrinking,
 * linear when growing.
 *
 * @param volume [slice, y, x]. @param spacing Pixel edges along y and x, in any unit.
 * @returns [slice, size, size].
 * @throws LarmorError `ERR_SHAPE` unless the volume has three axes; `ERR_ARGUMENT` for a size below 8 or above 4096;
 *   signal.reason when aborted.
 */
export async function resizeSlices(
  volume: RealArray,
  size: number,
  spacing: readonly [number, number] = [1, 1],
  { signal, onProgress }: Pick<RunOptions, 'signal' | 'onProgress'> = {},
): Promise<RealArray> {
  const [slices = 0, height = 0, width = 0] = volume.shape;
  if (volume.shape.length !== 3 || points(volume.shape) === 0 || volume.data.length !== points(volume.shape))
    throw new LarmorError('ERR_SHAPE', `resizeSlices: volume must be [slice, y, x], got ${formatShape(volume.shape)}`);
  if (!(Number.isInteger(size) && size >= 8 && size <= 4096))
    throw new LarmorError('ERR_ARGUMENT', `resizeSlices: size must be an integer in 8..4096, got ${size}`);
  if (!spacing.every((edge) => edge > 0 && Number.isFinite(edge)))
    throw new LarmorError('ERR_ARGUMENT', `resizeSlices: spacing must be positive, got ${spacing}`);
  const field = Math.max(height * spacing[0], width * spacing[1]);
  const rows = coverages(height, field / spacing[0], size);
  const columns = coverages(width, field / spacing[1], size);
  const resized = realZeros([slices, size, size]);
  const narrow = new Float64Array(size * height);
  for (let s = 0; s < slices; ++s) {
    await nextTurn();
    signal?.throwIfAborted();
    resampleTransposed(sliceAt(volume, s).data, width, columns, narrow);
    resampleTransposed(narrow, height, rows, sliceAt(resized, s).data);
    onProgress?.((s + 1) / slices);
  }
  return resized;
}

/**
 * A randomly varied copy of a square slice, for training: flips, transposition, a mild affine map (turn within 10
 * degrees, scale within 10 %, shear within 5 %, shift within 4 % of the side), read with linear interpolation.
 *
 * @param slice [size, size].
 */
export function augmentSlice(random: MT19937, slice: RealArray): RealArray {
  const size = slice.shape[0];
  if (slice.shape.length !== 2 || slice.shape[1] !== size || slice.data.length !== size * size)
    throw new LarmorError('ERR_SHAPE', `augmentSlice: slice must be [size, size], got [${slice.shape.join(',')}]`);
  const angle = random.uniform(-Math.PI / 18, Math.PI / 18);
  const shear = random.uniform(-0.05, 0.05);
  const [sx, sy] = [random.uniform(0.9, 1.1), random.uniform(0.9, 1.1)];
  const [tx, ty] = [random.uniform(-0.04, 0.04) * size, random.uniform(-0.04, 0.04) * size];
  const flipX = random.integer(0, 2) ? -1 : 1;
  const flipY = random.integer(0, 2) ? -1 : 1;
  const transpose = random.integer(0, 2) === 1;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const middle = (size - 1) / 2;

  const varied = realZeros([size, size]);
  for (let row = 0; row < size; ++row)
    for (let column = 0; column < size; ++column) {
      const u = flipX * ((transpose ? row : column) - middle) * sx;
      const v = flipY * ((transpose ? column : row) - middle) * sy;
      const x = cos * u - sin * v + shear * v + middle + tx;
      const y = sin * u + cos * v + middle + ty;
      varied.data[row * size + column] = interpolate(slice.data, size, x, y);
    }
  return varied;
}

/** Linear interpolation between pixel centres, zero outside. */
function interpolate(data: Float32Array, size: number, x: number, y: number): number {
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const at = (row: number, column: number): number =>
    row < 0 || column < 0 || row >= size || column >= size ? 0 : data[row * size + column];
  const fx = x - x0;
  const fy = y - y0;
  return (
    (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x0 + 1)) +
    fy * ((1 - fx) * at(y0 + 1, x0) + fx * at(y0 + 1, x0 + 1))
  );
}

/**
 * Median of the object's pixels: those above a tenth of the volume's 99th percentile.
 *
 * @throws LarmorError `ERR_ARGUMENT` if nothing is above zero.
 */
export function objectMedian(volume: RealArray): number {
  const threshold = percentile(volume.data, 99) / 10;
  const object = volume.data.filter((value) => value > threshold);
  if (!(threshold > 0) || object.length === 0)
    throw new LarmorError('ERR_ARGUMENT', 'objectMedian: the volume holds no object: nearly all values are zero');
  return percentile(object, 50);
}
