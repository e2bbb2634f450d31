// Held-out samples: part of the measured k-space is kept from training so that it can judge it.
import type { ComplexArray } from '../arrays/complex-array.js';
import { MT19937, type Seed } from '../arrays/mt19937.js';
import { LarmorError } from '../errors.js';
import { expectMask, type SamplingMask, sampledCount } from './mask.js';

/** Ways to draw held-out samples. */
export const SPLIT_KINDS = ['points', 'lines', 'ssdu-gaussian', 'ssdu-uniform'] as const;

/** How held-out samples are drawn: see `splitMask`. */
export type SplitKind = (typeof SPLIT_KINDS)[number];

/** How `splitMask` divides the samples. */
export interface SplitOptions {
  readonly kind: SplitKind;
  /** Rows of k-space (ky): a line mask does not know them. */
  readonly rows: number;
  /** Columns of k-space (kx). */
  readonly columns: number;
  /** Share of the measured samples (of the candidate lines for `lines`) to hold out, inside (0, 1). */
  readonly fraction: number;
  readonly seed: Seed;
  /** `points` only: draw with replacement as in Darestani et al., so that fewer samples are held out. Default false. */
  readonly replacement?: boolean | undefined;
  /** Side of the block at the k-space centre that always trains, in samples. Default 4; 0 for `points`. */
  readonly protectedCenter?: number | undefined;
  /** Centre of k-space as [ky, kx], e.g. from `strongestSample`. Default [rows / 2, columns / 2] rounded down. */
  readonly center?: readonly [number, number] | undefined;
  /** `ssdu-gaussian` only: k-space extent over the standard deviation of the density. Default 4. */
  readonly widthDivisor?: number | undefined;
}

/** Two disjoint masks whose union is the mask that was split. */
export interface MaskSplit {
  readonly train: SamplingMask;
  readonly heldOut: SamplingMask;
}

interface Draw {
  /** Candidate positions: points, or columns for `lines`. */
  readonly candidates: readonly number[];
  /** Measured samples in all, protected ones included. */
  readonly total: number;
  readonly random: MT19937;
  readonly options: SplitOptions;
  readonly center: readonly [number, number];
}

function fail(option: string, want: string, got: unknown): never {
  throw new LarmorError('ERR_ARGUMENT', `splitMask: ${option} must be ${want}, got ${String(got)}`);
}

function withoutReplacement({ candidates, random }: Draw, count: number): number[] {
  const order = random.permutation(candidates.length);
  return Array.from(order.subarray(0, count), (i) => candidates[i]);
}

function drawPoints(draw: Draw): number[] {
  const { candidates, total, random, options } = draw;
  const count = Math.floor(total * options.fraction);
  if (!options.replacement) return withoutReplacement(draw, count);
  return Array.from({ length: count }, () => random.pick(candidates));
}

function drawLines(draw: Draw): number[] {
  return withoutReplacement(draw, Math.round(draw.candidates.length * draw.options.fraction));
}

function drawUniform(draw: Draw): number[] {
  return withoutReplacement(draw, Math.floor(draw.candidates.length * draw.options.fraction));
}

/**
 * Draws points one after another with Gaussian probability about the centre, skipping those already taken.
 * Ranking log(-log u) - log(weight) picks the same sets with the same probabilities, without rejections.
 */
function drawGaussian({ candidates, total, random, options, center }: Draw): number[] {
  const { rows, columns, fraction, widthDivisor = 4 } = options;
  if (!(widthDivisor > 0 && Number.isFinite(widthDivisor))) fail('widthDivisor', 'a positive number', widthDivisor);
  const count = Math.ceil(total * fraction) + 1;
  if (count > candidates.length)
    fail('fraction', `small enough to leave ${count} unprotected samples, of ${candidates.length}`, fraction);
  const squaredDeviations = (n: number, offset: number): number =>
    n === 1 ? 0 : ((offset * widthDivisor) / (n - 1)) ** 2;
  const ranks = Float64Array.from(candidates, (point) => {
    const distance =
      squaredDeviations(rows, Math.floor(point / columns) - center[0]) +
      squaredDeviations(columns, (point % columns) - center[1]);
    return Math.log(-Math.log(1 - random.uniform())) + distance / 2;
  });
  const last = ranks.slice().sort()[count - 1];
  return candidates.filter((_, i) => ranks[i] <= last);
}

const DRAWS: Record<SplitKind, (draw: Draw) => number[]> = {
  points: drawPoints,
  lines: drawLines,
  'ssdu-gaussian': drawGaussian,
  'ssdu-uniform': drawUniform,
};

/** Candidate columns for `lines`, otherwise candidate points: sampled, and outside the protected centre. */
function candidatePositions(mask: SamplingMask, options: SplitOptions, center: readonly [number, number]): number[] {
  const { rows, columns, kind, protectedCenter = kind === 'points' ? 0 : 4 } = options;
  if (!(Number.isInteger(protectedCenter) && protectedCenter >= 0))
    fail('protectedCenter', 'an integer >= 0', protectedCenter);
  const inside = (position: number, middle: number): boolean => {
    const offset = position - middle + (protectedCenter >> 1);
    return offset >= 0 && offset < protectedCenter;
  };
  const isLine = mask.shape.length === 1;
  const found: number[] = [];
  for (let y = 0; y < (kind === 'lines' ? 1 : rows); ++y)
    for (let x = 0; x < columns; ++x) {
      const point = y * columns + x;
      const sampled = mask.data[isLine ? x : point] === 1;
      const isProtected = inside(x, center[1]) && (kind === 'lines' || inside(y, center[0]));
      if (sampled && !isProtected) found.push(point);
    }
  return found;
}

/**
 * Splits the measured samples into a training and a held-out part, shared by all coils.
 *
 * - `points`: floor(fraction * samples) points, uniform over all measured points.
 * - `lines`: round(fraction * lines) whole columns; the mask must be a line mask, and so are the results.
 * - `ssdu-uniform`: floor(fraction * candidates) points outside the protected centre.
 * - `ssdu-gaussian`: ceil(fraction * samples) + 1 points outside the protected centre, denser towards it.
 *
 * @returns Masks of shape [rows, columns] ([columns] for `lines`), disjoint, with `mask` as their union.
 * @throws LarmorError `ERR_ARGUMENT` for options outside their range or a split with an empty part; `ERR_MASK` if
 *   `mask` does not fit.
 * @see Darestani, Liu, Heckel, ICML 2022 (points); Yaman et al., Magn Reson Med 2020;84:3172-3191 (SSDU).
 * @example splitMask(mask, { kind: 'points', rows: 640, columns: 368, fraction: 0.05, seed: 1 });
 */
export function splitMask(mask: SamplingMask, options: SplitOptions): MaskSplit {
  const { kind, rows, columns, fraction, seed } = options;
  expectMask('splitMask', mask, rows, columns);
  if (!SPLIT_KINDS.includes(kind)) fail('kind', `one of ${SPLIT_KINDS.join(', ')}`, kind);
  if (!(fraction > 0 && fraction < 1)) fail('fraction', 'inside (0, 1)', fraction);
  const isLine = mask.shape.length === 1;
  if (kind === 'lines' && !isLine) fail('kind', 'another than lines for a mask of points', kind);

  const center = options.center ?? [rows >> 1, columns >> 1];
  const candidates = candidatePositions(mask, options, center);
  const total = sampledCount(mask) * (isLine ? rows : 1);
  const drawn =
    candidates.length > 0 ? DRAWS[kind]({ candidates, total, random: new MT19937(seed), options, center }) : [];

  const shape = kind === 'lines' ? ([columns] as const) : ([rows, columns] as const);
  const length = kind === 'lines' ? columns : rows * columns;
  const heldOut = new Uint8Array(length);
  for (const position of drawn) heldOut[position] = 1;
  const train = heldOut.map((held, i) => mask.data[isLine ? i % columns : i] - held);
  if (!heldOut.includes(1) || !train.includes(1))
    fail('fraction', `such that both parts hold samples (${candidates.length} candidates)`, fraction);
  return { train: { data: train, shape }, heldOut: { data: heldOut, shape } };
}

/**
 * Position [ky, kx] of the sample with the largest energy over the leading axes: where the centre of k-space lies.
 *
 * @param kspace Shape [..., ky, kx].
 */
export function strongestSample(kspace: ComplexArray): readonly [number, number] {
  const columns = kspace.shape.at(-1)!;
  const energy = new Float64Array(columns * kspace.shape.at(-2)!);
  for (let i = 0; i < kspace.data.length; i += 2)
    energy[(i >> 1) % energy.length] += kspace.data[i] ** 2 + kspace.data[i + 1] ** 2;
  const strongest = energy.reduce((best, value, i) => (value > energy[best] ? i : best), 0);
  return [Math.floor(strongest / columns), strongest % columns];
}
