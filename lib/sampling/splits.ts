// Held-out samples: part of the measured k-space is kept from training so that it can judge it.
import type { ComplexArray } from '../arrays/complex-array.js';
import { MT19937, type Seed } from '../arrays/mt19937.js';
import { type SamplingMask, sampledCount } from './mask.js';
import {
  badOption,
  divide,
  drawWithoutReplacement,
  expectDivisible,
  freeColumns,
  freePoints,
  middleOf,
} from './partition.js';

/** Ways to draw held-out samples. */
export const SPLIT_KINDS = ['points', 'lines'] as const;

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
  /** Side of the block at the k-space centre that always trains, in samples. Default: 4 for `lines`, 0 for `points`. */
  readonly protectedCenter?: number | undefined;
  /** Centre of k-space as [ky, kx], e.g. from `strongestSample`. Default [rows / 2, columns / 2] rounded down. */
  readonly center?: readonly [number, number] | undefined;
}

/** Two disjoint masks whose union is the mask that was split. */
export interface MaskSplit {
  readonly train: SamplingMask;
  readonly heldOut: SamplingMask;
}

const WHO = 'splitMask';

/**
 * Splits the measured samples into a training and a held-out part, shared by all coils. `ssduSplit` draws as SSDU does.
 *
 * - `points`: floor(fraction * samples) points, uniform over all measured points.
 * - `lines`: round(fraction * lines) whole columns; the mask must be a line mask, and so are the results.
 *
 * @returns Masks of shape [rows, columns] ([columns] for `lines`), disjoint, with `mask` as their union.
 * @throws LarmorError `ERR_ARGUMENT` for options outside their range or a split with an empty part; `ERR_MASK` if
 *   `mask` does not fit.
 * @see Darestani, Liu, Heckel, ICML 2022 (points).
 * @example splitMask(mask, { kind: 'points', rows: 640, columns: 368, fraction: 0.05, seed: 1 });
 */
export function splitMask(mask: SamplingMask, options: SplitOptions): MaskSplit {
  const { kind, rows, columns, fraction, seed, protectedCenter = kind === 'points' ? 0 : 4 } = options;
  if (!SPLIT_KINDS.includes(kind)) badOption(WHO, 'kind', `one of ${SPLIT_KINDS.join(', ')}`, kind);
  const grid = { rows, columns, protectedCenter, center: options.center ?? middleOf(rows, columns) };
  expectDivisible(WHO, mask, grid, fraction);
  const isLine = mask.shape.length === 1;
  if (kind === 'lines' && !isLine) badOption(WHO, 'kind', 'another than lines for a mask of points', kind);

  const random = new MT19937(seed);
  const draw = (candidates: number[], count: number): number[] =>
    options.replacement && kind === 'points'
      ? Array.from({ length: candidates.length > 0 ? count : 0 }, () => random.pick(candidates))
      : drawWithoutReplacement(random, candidates, count);
  const shape = kind === 'lines' ? ([columns] as const) : ([rows, columns] as const);
  const candidates = kind === 'lines' ? freeColumns(mask, grid) : freePoints(mask, grid);
  const count =
    kind === 'lines'
      ? Math.round(candidates.length * fraction)
      : Math.floor(sampledCount(mask) * (isLine ? rows : 1) * fraction);
  const { rest, drawn } = divide(WHO, mask, shape, draw(candidates, count));
  return { train: rest, heldOut: drawn };
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
