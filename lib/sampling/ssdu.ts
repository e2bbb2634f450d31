// SSDU's division of the measured samples: those the network sees and those its loss looks at. Patents may cover its use: docs/self-supervision.md.
import { MT19937, type Seed } from '../arrays/mt19937.js';
import { type SamplingMask, sampledCount } from './mask.js';
import {
  badOption,
  divide,
  drawWithoutReplacement,
  expectDivisible,
  freePoints,
  type Grid,
  middleOf,
} from './partition.js';

/** Ways to draw the samples of the loss: denser towards the centre, or alike everywhere. */
export const SSDU_KINDS = ['ssdu-gaussian', 'ssdu-uniform'] as const;

/** How the samples of the loss are drawn: see `ssduSplit`. */
export type SsduKind = (typeof SSDU_KINDS)[number];

/** How `ssduSplit` divides the samples. */
export interface SsduOptions {
  readonly kind: SsduKind;
  /** Rows of k-space (ky): a line mask does not know them. */
  readonly rows: number;
  /** Columns of k-space (kx). */
  readonly columns: number;
  /** Share of the samples that the loss looks at, inside (0, 1). Default: 0.4. */
  readonly fraction?: number | undefined;
  readonly seed: Seed;
  /** Side of the block at the k-space centre that the network always sees, in samples. Default: 4. */
  readonly protectedCenter?: number | undefined;
  /** Centre of k-space as [ky, kx], e.g. from `strongestSample`. Default [rows / 2, columns / 2] rounded down. */
  readonly center?: readonly [number, number] | undefined;
  /** `ssdu-gaussian` only: k-space extent over the standard deviation of the density. Default: 4. */
  readonly widthDivisor?: number | undefined;
}

/** Two disjoint masks [rows, columns] whose union is the mask that was divided. */
export interface SsduSplit {
  /** What the network sees (Theta). */
  readonly mask: SamplingMask;
  /** What the loss looks at (Lambda). */
  readonly lossMask: SamplingMask;
}

const WHO = 'ssduSplit';
const FRACTION = 0.4;
const PROTECTED_CENTER = 4;

/**
 * Draws points one after another with Gaussian probability about the centre, skipping those already taken.
 * Ranking log(-log u) - log(weight) picks the same sets with the same probabilities, without rejections.
 */
function drawGaussian(
  random: MT19937,
  candidates: readonly number[],
  count: number,
  { rows, columns, center }: Grid,
  widthDivisor: number,
): number[] {
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

/**
 * Divides the measured samples into those the network sees and those its loss looks at, shared by all coils.
 *
 * - `ssdu-uniform`: floor(fraction * candidates) points outside the protected centre.
 * - `ssdu-gaussian`: ceil(fraction * samples) + 1 points outside the protected centre, denser towards it.
 *
 * @throws LarmorError `ERR_ARGUMENT` for options outside their range or a part without samples; `ERR_MASK` if `mask` does not fit.
 * @see Yaman et al., Magn Reson Med 2020;84:3172-3191.
 * @example ssduSplit(mask, { kind: 'ssdu-gaussian', rows: 320, columns: 368, seed: 1 });
 */
export function ssduSplit(mask: SamplingMask, options: SsduOptions): SsduSplit {
  const { kind, rows, columns, seed, fraction = FRACTION, widthDivisor = 4 } = options;
  if (!SSDU_KINDS.includes(kind)) badOption(WHO, 'kind', `one of ${SSDU_KINDS.join(', ')}`, kind);
  const { center = middleOf(rows, columns), protectedCenter = PROTECTED_CENTER } = options;
  const grid: Grid = { rows, columns, center, protectedCenter };
  expectDivisible(WHO, mask, grid, fraction);
  if (!(widthDivisor > 0 && Number.isFinite(widthDivisor)))
    badOption(WHO, 'widthDivisor', 'a positive number', widthDivisor);

  const random = new MT19937(seed);
  const candidates = freePoints(mask, grid);
  const drawAll = (): number[] => {
    if (kind === 'ssdu-uniform')
      return drawWithoutReplacement(random, candidates, Math.floor(candidates.length * fraction));
    const total = sampledCount(mask) * (mask.shape.length === 1 ? rows : 1);
    const count = Math.ceil(total * fraction) + 1;
    if (count > candidates.length)
      badOption(
        WHO,
        'fraction',
        `small enough to leave ${count} unprotected samples, of ${candidates.length}`,
        fraction,
      );
    return drawGaussian(random, candidates, count, grid, widthDivisor);
  };
  const { rest, drawn } = divide(WHO, mask, [rows, columns], drawAll());
  return { mask: rest, lossMask: drawn };
}
