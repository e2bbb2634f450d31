// What all ways to divide the samples of a mask in two share: who may be drawn, and the two masks that come of it.
import type { MT19937 } from '../arrays/mt19937.js';
import { LarmorError } from '../errors.js';
import { expectMask, type SamplingMask } from './mask.js';

/** Sizes of k-space and the part of it that is not drawn. */
export interface Grid {
  /** Rows of k-space (ky): a line mask does not know them. */
  readonly rows: number;
  /** Columns of k-space (kx). */
  readonly columns: number;
  /** Side of the block at the k-space centre that is never drawn, in samples. */
  readonly protectedCenter: number;
  /** Centre of k-space as [ky, kx]. */
  readonly center: readonly [number, number];
}

/** @throws LarmorError `ERR_ARGUMENT`. */
export function badOption(who: string, option: string, want: string, got: unknown): never {
  throw new LarmorError('ERR_ARGUMENT', `${who}: ${option} must be ${want}, got ${String(got)}`);
}

/** @throws LarmorError `ERR_MASK` if the mask does not fit; `ERR_ARGUMENT` for a share or a block outside its range. */
export function expectDivisible(who: string, mask: SamplingMask, grid: Grid, fraction: number): void {
  expectMask(who, mask, grid.rows, grid.columns);
  if (!(fraction > 0 && fraction < 1)) badOption(who, 'fraction', 'inside (0, 1)', fraction);
  const { protectedCenter } = grid;
  if (!(Number.isInteger(protectedCenter) && protectedCenter >= 0))
    badOption(who, 'protectedCenter', 'an integer >= 0', protectedCenter);
}

/** The middle of k-space, where its centre lies unless someone knows better. */
export const middleOf = (rows: number, columns: number): readonly [number, number] => [rows >> 1, columns >> 1];

const inside = (position: number, middle: number, { protectedCenter }: Grid): boolean => {
  const offset = position - middle + (protectedCenter >> 1);
  return offset >= 0 && offset < protectedCenter;
};

/** Sampled points outside the protected block, as ky * columns + kx. */
export function freePoints(mask: SamplingMask, grid: Grid): number[] {
  const { rows, columns, center } = grid;
  const isLine = mask.shape.length === 1;
  const found: number[] = [];
  for (let y = 0; y < rows; ++y)
    for (let x = 0; x < columns; ++x) {
      const point = y * columns + x;
      const isProtected = inside(y, center[0], grid) && inside(x, center[1], grid);
      if (mask.data[isLine ? x : point] === 1 && !isProtected) found.push(point);
    }
  return found;
}

/** Sampled columns of a line mask outside the protected ones. */
export function freeColumns(mask: SamplingMask, grid: Grid): number[] {
  return Array.from(mask.data.keys()).filter((x) => mask.data[x] === 1 && !inside(x, grid.center[1], grid));
}

/** `count` of the candidates, all sets alike. */
export function drawWithoutReplacement(random: MT19937, candidates: readonly number[], count: number): number[] {
  return Array.from(random.permutation(candidates.length).subarray(0, count), (i) => candidates[i]);
}

/**
 * The mask without the drawn positions, and these.
 *
 * @param shape [rows, columns] of points, or [columns] of a line mask whose columns were drawn.
 * @throws LarmorError `ERR_ARGUMENT` when either is empty.
 */
export function divide(
  who: string,
  mask: SamplingMask,
  shape: SamplingMask['shape'],
  drawn: readonly number[],
): { rest: SamplingMask; drawn: SamplingMask } {
  const isLine = mask.shape.length === 1;
  const columns = shape.at(-1) as number;
  const chosen = new Uint8Array(shape.reduce((product, n) => product * n, 1));
  for (const position of drawn) chosen[position] = 1;
  const rest = chosen.map((bit, i) => mask.data[isLine ? i % columns : i] - bit);
  if (!chosen.includes(1) || !rest.includes(1))
    badOption(who, 'fraction', 'such that both parts hold samples', `${drawn.length} drawn samples`);
  return { rest: { data: rest, shape }, drawn: { data: chosen, shape } };
}
