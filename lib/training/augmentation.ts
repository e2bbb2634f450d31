// Slices moved about as patients and scanners could have: image, coil maps and k-space change together, so that A x = y goes on to hold.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, complexZeros } from '../arrays/complex-array.js';
import type { MT19937 } from '../arrays/mt19937.js';
import type { SamplingMask } from '../sampling/mask.js';
import type { PreparedSlice } from './prepared-slices.js';

/** Which changes are drawn for every example; none by default. */
export interface Augmentation {
  /** Mirror along y, and along x, each half of the time. */
  readonly flip?: boolean | undefined;
  /** Exchange y and x half of the time, of square slices; with `flip` these are also quarter turns. */
  readonly transpose?: boolean | undefined;
  /** Largest shift along y and along x, in pixels; whole pixels are drawn, and what leaves at one side comes in at the other. */
  readonly shift?: number | undefined;
  /** A phase common to all pixels. */
  readonly phase?: boolean | undefined;
  /** Least and largest factor of the brightness that the network sees, 1 being that of its normalised input. */
  readonly intensity?: readonly [least: number, largest: number] | undefined;
}

/** One change of a slice: transposed first, then mirrored, then shifted. */
export interface SliceChange {
  readonly transpose: boolean;
  /** Along y, x. Mirrors about the pixel that the centred Fourier transform has at its centre, n / 2 rounded down. */
  readonly mirror: readonly [boolean, boolean];
  /** Pixels along y, x. */
  readonly shift: readonly [number, number];
  /** Radians. */
  readonly phase: number;
  /** Factor of the brightness. */
  readonly intensity: number;
}

/** A change for a slice of this shape. */
export function drawChange(
  random: MT19937,
  { flip = false, transpose = false, shift = 0, phase = false, intensity }: Augmentation,
  [, height, width]: readonly number[],
): SliceChange {
  const half = (): boolean => random.uniform() < 0.5;
  const within = (): number => random.integer(-shift, shift + 1);
  return {
    transpose: transpose && height === width && half(),
    mirror: flip ? [half(), half()] : [false, false],
    shift: shift > 0 ? [within(), within()] : [0, 0],
    phase: phase ? random.uniform(-Math.PI, Math.PI) : 0,
    intensity: intensity ? random.uniform(intensity[0], intensity[1]) : 1,
  };
}

/** The slice as `change` has it; `intensity` is for what scales the network's input to apply. */
export async function changedSlice(slice: PreparedSlice, change: SliceChange): Promise<PreparedSlice> {
  const { kspace, own, maps, target, brightness } = slice;
  const shape = change.transpose ? [kspace.shape[0], kspace.shape[2], kspace.shape[1]] : kspace.shape;
  const [, height, width] = shape;
  // A mirrored image has mirrored k-space; a shifted one has a ramp of phase there.
  const unshifted: SliceChange = { ...change, shift: [0, 0] };
  const places = placesOf(change, height, width);
  const samples = placesOf(unshifted, height, width);
  return {
    kspace: await gathered(kspace, shape, samples, factorsOf(change, height, width)),
    own: own && gatheredMask(own, samples, [height, width]),
    maps: await gathered(maps, shape, places),
    target: target && (await gathered(target, shape.slice(1), places, factorsOf(unshifted, height, width))),
    brightness,
  };
}

/** A mask with its samples taken from `places`; of points, as columns may have become rows. */
function gatheredMask({ data }: SamplingMask, places: Uint32Array, shape: readonly [number, number]): SamplingMask {
  return { data: Uint8Array.from(places, (place) => data[place % data.length]), shape };
}

/** Of every pixel of the changed slice, the pixel it was before. */
function placesOf({ transpose, mirror, shift }: SliceChange, height: number, width: number): Uint32Array {
  const along = (n: number, axis: 0 | 1): number[] =>
    Array.from({ length: n }, (_, i) => {
      const unshifted = (((i - shift[axis]) % n) + n) % n;
      return mirror[axis] ? (2 * Math.floor(n / 2) - unshifted + n) % n : unshifted;
    });
  const [rows, columns] = [along(height, 0), along(width, 1)];
  const places = new Uint32Array(height * width);
  rows.forEach((y, i) => {
    columns.forEach((x, j) => {
      places[i * width + j] = transpose ? x * height + y : y * width + x;
    });
  });
  return places;
}

/** exp(i (phase - 2 pi shift . (k - centre) / n)) of every sample k of [height, width], interleaved re, im. */
function factorsOf({ shift, phase }: SliceChange, height: number, width: number): Float64Array {
  const along = (n: number, axis: 0 | 1, offset: number): [number, number][] =>
    Array.from({ length: n }, (_, k) => {
      const angle = offset - (2 * Math.PI * shift[axis] * (k - Math.floor(n / 2))) / n;
      return [Math.cos(angle), Math.sin(angle)];
    });
  const [rows, columns] = [along(height, 0, phase), along(width, 1, 0)];
  const factors = new Float64Array(2 * height * width);
  rows.forEach(([re, im], y) => {
    columns.forEach(([c, s], x) => {
      const at = 2 * (y * width + x);
      factors[at] = re * c - im * s;
      factors[at + 1] = re * s + im * c;
    });
  });
  return factors;
}

/** `array` [..., y, x] with its pixels taken from `places` and multiplied by factors, the same for all images. */
async function gathered(
  { data }: ComplexArray,
  shape: readonly number[],
  places: Uint32Array,
  factors?: Float64Array,
): Promise<ComplexArray> {
  const result = complexZeros(shape);
  for (let start = 0; start < data.length; start += 2 * places.length) {
    const [from, to] = [data, result.data].map((all) => all.subarray(start, start + 2 * places.length));
    for (let i = 0; i < places.length; i++) {
      const [re, im] = [from[2 * places[i]], from[2 * places[i] + 1]];
      const [c, s] = factors ? [factors[2 * i], factors[2 * i + 1]] : [1, 0];
      to[2 * i] = re * c - im * s;
      to[2 * i + 1] = re * s + im * c;
    }
    await nextTurn();
  }
  return result;
}
