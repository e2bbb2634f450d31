// Simulated multi-coil scans: an object with phase, seen by coils, sampled fully, with noise.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, complexZeros, type RealArray } from '../arrays/complex-array.js';
import { magnitude } from '../arrays/magnitude.js';
import { MT19937, type Seed } from '../arrays/mt19937.js';
import { sliceAt } from '../arrays/slices.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { Coils } from '../operators/coils.js';
import { fft2, ifft2 } from '../operators/fft2.js';
import { CoilArray } from './coils.js';
import { objectMedian } from './magnitude.js';
import { NoiseField } from './noise-field.js';

/** The scanner that `simulateScan` plays. */
export interface SimulationOptions {
  /** Receive coils. Default 8. */
  readonly coils?: number | undefined;
  /** Median of the object over the noise's deviation in the real and the imaginary part of one coil. Default 80. */
  readonly snr?: number | undefined;
  /** Strength of the patient's phase: 1 varies by some radians over the image, as gradient echoes do, 0.2 as spin echoes do. Default 1. */
  readonly phase?: number | undefined;
  /** Coils, phase and noise follow from it alone. */
  readonly seed: Seed;
  /** Side of k-space. Default: that of the object; smaller keeps the centre of k-space, as a scanner's resolution does. */
  readonly size?: number | undefined;
}

/** One slice as it was measured, and the truth behind it. */
export interface SimulatedSlice {
  /** Fully sampled and noisy: [coil, ky, kx]. */
  readonly kspace: ComplexArray;
  /** The coils' true sensitivities, sum over coils of |S|^2 = 1: [coil, y, x]. */
  readonly maps: ComplexArray;
  /** What the coils see without noise, at k-space's resolution: [y, x]. */
  readonly image: ComplexArray;
}

/** The slices of a volume, stacked. */
export interface SimulatedScan {
  /** [slice, coil, ky, kx]. */
  readonly kspace: ComplexArray;
  /** [slice, coil, y, x]. */
  readonly maps: ComplexArray;
  /** [slice, y, x]. */
  readonly image: ComplexArray;
  /** Magnitude of `image`: [slice, y, x]. */
  readonly reference: RealArray;
}

/** Distance between slices in units of half the field of view: about 4 mm of 240. */
const SLICE_STEP = 0.035;

/** One scanner and patient: coils, the patient's phase and a noise level turn slices into k-space. */
export class SimulatedScanner {
  readonly #random: MT19937;
  readonly #coils: CoilArray;
  readonly #phase: SmoothPhase;
  readonly #noise: number;
  readonly #size: number | undefined;

  /**
   * @param median The object's median magnitude, which `snr` refers to: see `objectMedian`.
   * @throws LarmorError `ERR_ARGUMENT` for options outside their range.
   */
  constructor(median: number, { coils = 8, snr = 80, phase = 1, seed, size }: SimulationOptions) {
    if (!(Number.isInteger(coils) && coils >= 1 && coils <= 256)) fail('coils', 'an integer in 1..256', coils);
    if (!(snr > 0)) fail('snr', 'positive (Infinity for no noise)', snr);
    if (!(phase >= 0 && Number.isFinite(phase))) fail('phase', '0 or more', phase);
    if (!(median > 0 && Number.isFinite(median))) fail('median', 'a positive number', median);
    if (size !== undefined && !(Number.isInteger(size) && size >= 8)) fail('size', 'an integer >= 8', size);
    this.#random = new MT19937(seed);
    this.#coils = new CoilArray(this.#random, coils);
    this.#phase = new SmoothPhase(this.#random, phase);
    this.#noise = median / snr;
    this.#size = size;
  }

  /**
   * Scans one slice; the noise of each call is new.
   *
   * @param object Magnitude, square: [y, x]. @param z Height of the slice in units of half the field of view.
   * @throws LarmorError `ERR_SHAPE` unless the object is square; `ERR_ARGUMENT` if it is smaller than `size`;
   *   signal.reason when aborted.
   */
  async scan(object: RealArray, z = 0, { signal, threads }: RunOptions = {}): Promise<SimulatedSlice> {
    const [side] = object.shape;
    const size = this.#size ?? side;
    if (object.shape.length !== 2 || object.shape[1] !== side || object.data.length !== side * side)
      throw new LarmorError('ERR_SHAPE', `simulateScan: slices must be square, got [${object.shape.join(',')}]`);
    if (side < size) fail('size', `at most ${side}, the object's side`, size);
    const options = { signal, threads };
    const fineMaps = await this.#coils.maps(side, z, options);
    const maps = side % size === 0 ? thinned(fineMaps, size) : await this.#coils.maps(size, z, options);
    const seen = await new Coils(fineMaps).apply(this.#phase.applyTo(object, z), options);
    const kspace = centreOf(await fft2(seen, options), size);
    const image = await new Coils(maps).adjoint(await ifft2(kspace, options), options);
    if (this.#noise > 0) await this.#addNoise(kspace);
    return { kspace, maps, image };
  }

  async #addNoise({ data, shape: [coils] }: ComplexArray): Promise<void> {
    const length = data.length / coils;
    for (let coil = 0; coil < coils; ++coil) {
      await nextTurn();
      for (let i = coil * length; i < (coil + 1) * length; ++i) data[i] += this.#noise * this.#random.normal();
    }
  }
}

function fail(option: string, want: string, got: unknown): never {
  throw new LarmorError('ERR_ARGUMENT', `simulateScan: ${option} must be ${want}, got ${String(got)}`);
}

/** A patient's image phase: a tilt and a slow random field. */
class SmoothPhase {
  readonly #field: NoiseField;
  readonly #offset: number;
  readonly #tilt: readonly [number, number];
  readonly #height: number;
  readonly #rate: number;

  constructor(random: MT19937, strength: number) {
    this.#field = new NoiseField(random);
    this.#offset = random.uniform(-Math.PI, Math.PI);
    this.#tilt = [strength * random.uniform(-1.2, 1.2), strength * random.uniform(-1.2, 1.2)];
    this.#height = strength * random.uniform(0.5, 3);
    this.#rate = random.uniform(0.7, 1.4);
  }

  applyTo(object: RealArray, z: number): ComplexArray {
    const [side] = object.shape;
    const rate = this.#rate;
    const image = complexZeros(object.shape);
    object.data.forEach((signal, i) => {
      if (signal === 0) return;
      const x = (2 * ((i % side) - (side >> 1))) / side;
      const y = (2 * (Math.floor(i / side) - (side >> 1))) / side;
      const slow = this.#height * this.#field.at(rate * x, rate * y, rate * z);
      const phase = this.#offset + this.#tilt[0] * x + this.#tilt[1] * y + slow;
      image.data[2 * i] = signal * Math.cos(phase);
      image.data[2 * i + 1] = signal * Math.sin(phase);
    });
    return image;
  }
}

/** Maps [coil, side, side] at the pixels of a grid `side / size` times as coarse, whose centre is the same point. */
function thinned(maps: ComplexArray, size: number): ComplexArray {
  const [coils, side] = maps.shape;
  if (size === side) return maps;
  const factor = side / size;
  const start = (side >> 1) - (size >> 1) * factor;
  const coarse = complexZeros([coils, size, size]);
  for (let i = 0; i < coils * size * size; ++i) {
    const row = start + factor * (Math.floor(i / size) % size);
    const from = (Math.floor(i / (size * size)) * side + row) * side + start + factor * (i % size);
    coarse.data[2 * i] = maps.data[2 * from];
    coarse.data[2 * i + 1] = maps.data[2 * from + 1];
  }
  return coarse;
}

/** The central `size` x `size` samples of k-space [coil, side, side], scaled so that images keep their brightness. */
function centreOf(kspace: ComplexArray, size: number): ComplexArray {
  const [coils, side] = kspace.shape;
  if (size === side) return kspace;
  const centre = complexZeros([coils, size, size]);
  // Both transforms are unitary, so amplitudes go with the square root of the number of points.
  const scale = size / side;
  const start = (side >> 1) - (size >> 1);
  for (let row = 0; row < coils * size; ++row) {
    const from = (Math.floor(row / size) * side + start + (row % size)) * side + start;
    for (let i = 0; i < 2 * size; ++i) centre.data[2 * row * size + i] = scale * kspace.data[2 * from + i];
  }
  return centre;
}

/**
 * Simulates a fully sampled multi-coil scan of a volume; all slices share coils, phase and noise level.
 *
 * @param volume Magnitude [slice, y, x], square slices: from `renderPhantom` or `resizeSlices`.
 * @throws LarmorError `ERR_SHAPE` or `ERR_ARGUMENT` as `SimulatedScanner`; signal.reason when aborted.
 * @example
 * const object = await renderPhantom({ family: 'head', seed: 1, size: 256 });
 * const scan = await simulateScan(object, { size: 128, seed: 1 });
 */
export async function simulateScan(
  volume: RealArray,
  options: SimulationOptions,
  { signal, onProgress, threads }: RunOptions = {},
): Promise<SimulatedScan> {
  const [slices = 0, side = 0] = volume.shape;
  if (volume.shape.length !== 3 || slices === 0)
    throw new LarmorError('ERR_SHAPE', `simulateScan: volume must be [slice, y, x], got [${volume.shape.join(',')}]`);
  const { coils = 8, size = side } = options;
  const scanner = new SimulatedScanner(objectMedian(volume), options);
  const scan = {
    kspace: complexZeros([slices, coils, size, size]),
    maps: complexZeros([slices, coils, size, size]),
    image: complexZeros([slices, size, size]),
  };
  for (let s = 0; s < slices; ++s) {
    const { kspace, maps, image } = await scanner.scan(sliceAt(volume, s), sliceHeight(s, slices), { signal, threads });
    scan.kspace.data.set(kspace.data, s * kspace.data.length);
    scan.maps.data.set(maps.data, s * maps.data.length);
    scan.image.data.set(image.data, s * image.data.length);
    onProgress?.((s + 1) / slices);
  }
  return { ...scan, reference: magnitude(scan.image) };
}

/** Where slice `index` of `slices` lies along z, the middle of the stack being 0. */
export function sliceHeight(index: number, slices: number): number {
  return (index - (slices - 1) / 2) * SLICE_STEP;
}
