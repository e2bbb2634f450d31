// Noise from the parts of a scan that hold nothing else, where there is no noise scan.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ComplexArray, complexZeros } from '../arrays/complex-array.js';
import { percentile } from '../arrays/percentile.js';
import { LarmorError } from '../errors.js';
import type { RunOptions } from '../jobs.js';
import { ifft2 } from '../operators/fft2.js';
import { expectKspace } from '../sampling/kspace.js';
import type { SamplingMask } from '../sampling/mask.js';
import { type NoiseCovariance, noiseCovariance } from './noise.js';

/** What can be chosen about `noiseFromBackground`. */
export interface NoiseRegionOptions extends RunOptions {
  /** Which samples were measured. Default: all. */
  readonly mask?: SamplingMask | undefined;
}

/** Depth of the strips at the edges as a share of the side: it keeps clear of heads that fill their field of view. */
const STRIP = 1 / 12;
/** Blocks along each strip. */
const BLOCKS = 16;
/** Blocks whose power differs by less hold the same: that of 100 samples of noise is known to 10 %. */
const LARGEST_POWER_RATIO = 1.5;
const LEAST_BLOCKS = BLOCKS / 2;
/** Mean power over median power / ln 2, 1 for Gaussian noise: larger where signal joins it in places, down to 0.7 for signal alone. */
const NOISE_TAIL = [1 / 1.3, 1.3] as const;

/**
 * Noise covariance without a noise scan, from the background at the two edges of the image along the phase encode. The blocks of these
 * strips that are equally strong, as noise is, are taken: not those that the object or a ghost of it reaches, nor the ends of the readout,
 * where receivers filter the noise away.
 *
 * Where undersampling folds the object over the edges, the ends of the lines measured serve instead, in k-space, where the object's signal
 * is weakest; what is left of it makes the noise look too strong.
 *
 * Zeros in k-space thin the noise of the image; the result is the covariance of the measured samples. Doubts stand in `warnings`.
 *
 * Shapes: kspace [coil, ky, kx].
 *
 * @throws LarmorError `ERR_SHAPE`, `ERR_MASK`, `ERR_NOT_FINITE`; `ERR_NOISE` as `noiseCovariance`, or when the background is empty.
 * `signal.reason` when aborted.
 */
export async function noiseFromBackground(
  kspace: ComplexArray,
  { mask, ...run }: NoiseRegionOptions = {},
): Promise<NoiseCovariance> {
  const who = 'noiseFromBackground';
  const [coils, ny, nx] = expectKspace(who, kspace, mask);
  const measured = await measuredPositions(kspace);
  const undersampled = mask?.data.includes(0) ?? false;
  const source = undersampled ? kspace : await ifft2(kspace, run);
  const blocks = undersampled
    ? readoutEnds(ny, nx).map((block) => block.filter((at) => measured[at] === 1))
    : phaseEncodeEdges(ny, nx);
  const powers: number[] = [];
  for (const block of blocks) {
    powers.push(meanPower(source, block));
    await nextTurn();
  }
  const [low, high] = plateau(powers, undersampled);
  const kept = blocks.filter((_, i) => powers[i] >= low && powers[i] <= high);
  const samples = await pick(source, kept.flat());
  if (samples.shape[1] < coils)
    throw new LarmorError(
      'ERR_NOISE',
      `${who}: the background holds ${samples.shape[1]} samples for ${coils} coils; use a noise scan, or do not whiten`,
    );
  const share = measured.reduce((sum, bit) => sum + bit, 0) / measured.length;
  const covariance = await noiseCovariance(samples, { ...run, bandwidthRatio: undersampled ? 1 : 1 / share });
  const likeNoise = (await tails(samples)).every((tail) => tail >= NOISE_TAIL[0] && tail <= NOISE_TAIL[1]);
  const pure = kept.length >= LEAST_BLOCKS && likeNoise;
  const place = undersampled ? 'the ends of the readouts' : 'the edges of the image';
  const doubt = `${place} hold signal: the noise covariance is rough, and a noise scan would be better`;
  return { ...covariance, warnings: pure ? covariance.warnings : [...covariance.warnings, doubt] };
}

/** Flat positions of the blocks of both edges of the image along the phase encode, the second axis. */
function phaseEncodeEdges(ny: number, nx: number): number[][] {
  const depth = Math.ceil(nx * STRIP);
  return [0, nx - depth].flatMap((left) => divided(ny, (first, end) => rectangle(nx, first, end, left, left + depth)));
}

/** Likewise of both ends of the readout. */
function readoutEnds(ny: number, nx: number): number[][] {
  const depth = Math.ceil(ny * STRIP);
  return [0, ny - depth].flatMap((top) => divided(nx, (first, end) => rectangle(nx, top, top + depth, first, end)));
}

function divided<T>(length: number, part: (first: number, end: number) => T): T[] {
  const border = (i: number): number => Math.floor((i * length) / BLOCKS);
  return Array.from({ length: BLOCKS }, (_, i) => part(border(i), border(i + 1)));
}

function rectangle(nx: number, top: number, bottom: number, left: number, right: number): number[] {
  const width = right - left;
  return Array.from(
    { length: (bottom - top) * width },
    (_, i) => (top + Math.floor(i / width)) * nx + left + (i % width),
  );
}

/** The lowest range of powers, of that ratio, with at least half as many blocks as any. Blocks of nothing do not count. */
function plateau(powers: readonly number[], lowest: boolean): [low: number, high: number] {
  const sorted = powers.filter((power) => power > 0).sort((a, b) => a - b);
  const counts = sorted.map(
    (low) => sorted.filter((power) => power >= low && power <= LARGEST_POWER_RATIO * low).length,
  );
  const most = Math.max(...counts);
  const low = sorted[lowest ? 0 : counts.findIndex((count) => 2 * count >= most)];
  return low === undefined ? [Number.POSITIVE_INFINITY, 0] : [low, LARGEST_POWER_RATIO * low];
}

/** 1 where any coil is not zero. */
async function measuredPositions({ data, shape: [coils, ny, nx] }: ComplexArray): Promise<Uint8Array> {
  const measured = new Uint8Array(ny * nx);
  for (let coil = 0; coil < coils; coil += 1) {
    const from = 2 * coil * ny * nx;
    for (let i = 0; i < ny * nx; i += 1) if (data[from + 2 * i] !== 0 || data[from + 2 * i + 1] !== 0) measured[i] = 1;
    await nextTurn();
  }
  return measured;
}

/** Mean over positions of the sum over coils of |y|^2; 0 for no positions. */
function meanPower({ data, shape: [coils, ny, nx] }: ComplexArray, positions: readonly number[]): number {
  let sum = 0;
  for (let coil = 0; coil < coils; coil += 1)
    for (const at of positions) {
      const i = 2 * (coil * ny * nx + at);
      sum += data[i] ** 2 + data[i + 1] ** 2;
    }
  return positions.length === 0 ? 0 : sum / positions.length;
}

/** The samples at some positions: [coil, n]. */
async function pick(
  { data, shape: [coils, ny, nx] }: ComplexArray,
  positions: readonly number[],
): Promise<ComplexArray> {
  const samples = complexZeros([coils, positions.length]);
  for (let coil = 0; coil < coils; coil += 1) {
    positions.forEach((at, n) => {
      const [from, to] = [2 * (coil * ny * nx + at), 2 * (coil * positions.length + n)];
      samples.data[to] = data[from];
      samples.data[to + 1] = data[from + 1];
    });
    await nextTurn();
  }
  return samples;
}

/** Mean power over (median power / ln 2) of every coil. */
async function tails({ data, shape: [coils, n] }: ComplexArray): Promise<number[]> {
  const found: number[] = [];
  for (let coil = 0; coil < coils; coil += 1) {
    const magnitudes = Float32Array.from({ length: n }, (_, i) =>
      Math.hypot(data[2 * (coil * n + i)], data[2 * (coil * n + i) + 1]),
    );
    const mean = magnitudes.reduce((sum, value) => sum + value ** 2, 0) / n;
    found.push((mean * Math.LN2) / percentile(magnitudes, 50) ** 2);
    await nextTurn();
  }
  return found;
}
