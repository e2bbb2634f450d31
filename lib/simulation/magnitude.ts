// Magnitude slices as sources of simulated scans: resampled to square pixels, varied for training.
import { points, type RealArray, realZeros } from '../arrays/complex-array.js';
import type { MT19937 } from '../arrays/mt19937.js';
import { LarmorError } from '../errors.js';

/**
 * Weights of area resampling: target pixel `i` covers source pixels `first`, `first + 1`, ... with these shares; where the
 * target is finer than the source, neighbours are blended linearly.
 */
interface Coverage {
  readonly first: number;
  readonly weights: readonly number[];
}

/** `count` target pixels across `extent` source pixels centred on the source. */
function coverages(source: number, extent: number, count: number): Coverage[] {
  const step = extent / count;
  const origin = (source - extent) / 2;
  // A box at least one source pixel wide, read against the source's own boxes: area average or linear blend.
  const half = Math.max(step, 1) / 2;
  return Array.from({ length: count }, (_, i) => {
    const middle = origin + (i + 0.5) * step;
    const first = Math.floor(middle - half);
    const last = Math.ceil(middle + half);
    const weights = Array.from({ length: last - first }, (_, k) => {
      const overlap = Math.min(first + k + 1, middle + half) - Math.max(first + k, middle - half);
      return first + k < 0 || first + k >= source ? 0 : Math.max(0, overlap) / (2 * half);
    });
    return { first, weights };
  });
}

/**
 * Slices on a square grid of square pixels that holds the whole source, zeros beside it: area average when shrinking,
 * linear when growing.
 *
 * @param volume [slice, y, x]. @param spacing Pixel edges along y and x, in any unit.
 * @returns [slice, size, size].
 * @throws LarmorError `ERR_SHAPE` unless the volume has three axes; `ERR_ARGUMENT` for a size below 8 or above 4096.
 */
export function resizeSlices(volume: RealArray, size: number, spacing: readonly [number, number] = [1, 1]): RealArray {
  const [slices = 0, height = 0, width = 0] = volume.shape;
  if (volume.shape.length !== 3 || points(volume.shape) === 0 || volume.data.length !== points(volume.shape))
    throw new LarmorError('ERR_SHAPE', `resizeSlices: volume must be [slice, y, x], got [${volume.shape.join(',')}]`);
  if (!(Number.isInteger(size) && size >= 8 && size <= 4096))
    throw new LarmorError('ERR_ARGUMENT', `resizeSlices: size must be an integer in 8..4096, got ${size}`);
  const field = Math.max(height * spacing[0], width * spacing[1]);
  const rows = coverages(height, field / spacing[0], size);
  const columns = coverages(width, field / spacing[1], size);
  const resized = realZeros([slices, size, size]);
  const narrow = new Float64Array(height * size);
  for (let s = 0; s < slices; ++s) {
    const source = volume.data.subarray(s * height * width, (s + 1) * height * width);
    for (let y = 0; y < height; ++y)
      columns.forEach(({ first, weights }, x) => {
        narrow[y * size + x] = weights.reduce(
          (sum, w, k) => (w > 0 ? sum + w * source[y * width + first + k] : sum),
          0,
        );
      });
    rows.forEach(({ first, weights }, y) => {
      for (let x = 0; x < size; ++x)
        resized.data[(s * size + y) * size + x] = weights.reduce(
          (sum, w, k) => (w > 0 ? sum + w * narrow[(first + k) * size + x] : sum),
          0,
        );
    });
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
  const sorted = Float32Array.from(volume.data).sort();
  const threshold = sorted[Math.floor(0.99 * (sorted.length - 1))] / 10;
  const first = sorted.findIndex((value) => value > threshold);
  if (!(threshold > 0) || first < 0)
    throw new LarmorError('ERR_ARGUMENT', 'objectMedian: the volume holds no object: nearly all values are zero');
  return sorted[(first + sorted.length - 1) >> 1];
}
