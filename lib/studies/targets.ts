// Results held against what a study asks of them.
import type { GapClosed } from './gap.js';
import { race } from './race.js';
import { statisticOf } from './spread.js';
import { differences, figures, rowNamed, type TableRow } from './table.js';
import type { Target } from './target-schema.js';

/** `unjudged`: a share of a gap that is too small, or was not measured. */
export type Judgement = 'met' | 'missed' | 'unjudged';

export interface JudgedTarget {
  readonly target: Target;
  /** The target in words: `mean SSIM of P-joint + default over P-joint, at least 0.1`. */
  readonly text: string;
  readonly measured: number | undefined;
  readonly judgement: Judgement;
}

/** Every target with what was measured. */
export function judge(
  targets: readonly Target[],
  rows: readonly TableRow[],
  gaps: readonly GapClosed[],
): JudgedTarget[] {
  return targets.map((target) => {
    const measured = measure(target, rows, gaps);
    const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = target;
    const isMet = measured !== undefined && measured >= atLeast && measured <= atMost;
    const judgement = measured === undefined ? 'unjudged' : isMet ? 'met' : 'missed';
    return { target, text: describe(target), measured, judgement };
  });
}

function measure(target: Target, rows: readonly TableRow[], gaps: readonly GapClosed[]): number | undefined {
  if ('shareOfGap' in target) return share(target, gaps);
  if ('of' in target) return figure(target, rows);
  const found = race(rows, target.race, target.against);
  // One that never comes there is infinitely slow.
  return found && found.theirs / (found.ours ?? Number.POSITIVE_INFINITY);
}

function share(
  { shareOfGap, shift, consistent, metric }: Extract<Target, { shareOfGap: string }>,
  gaps: readonly GapClosed[],
): number | undefined {
  const found = gaps
    .filter((gap) => shift === undefined || gap.shift === shift)
    .find((gap) => gap.recipe === shareOfGap && gap.consistent === consistent && gap.metric === metric);
  return found?.share;
}

function figure(
  { of, over, metric, statistic }: Extract<Target, { of: string }>,
  rows: readonly TableRow[],
): number | undefined {
  const row = rowNamed(rows, of);
  const other = over === undefined ? undefined : rowNamed(rows, over);
  if (!row || (over !== undefined && !other)) return undefined;
  return statisticOf(other ? differences(row, other, metric) : figures(row, metric), metric, statistic);
}

const METRIC_NAMES = { ssim: 'SSIM', ssimMatched: 'matched SSIM', psnr: 'PSNR', nmse: 'NMSE' } as const;
const STATISTIC_NAMES = {
  mean: 'mean',
  worst: 'worst',
  'absolute-mean': '|mean|',
  'mean-absolute': 'mean |.| of',
} as const;

function describe(target: Target): string {
  const { atLeast, atMost } = target;
  const bounds = [
    ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost}`]),
  ].join(', ');
  if ('race' in target)
    return `times that ${target.race} comes faster to the best SSIM of ${target.against}: ${bounds}`;
  const metric = METRIC_NAMES[target.metric];
  if ('shareOfGap' in target) {
    const consistent = target.consistent ? ', consistent' : '';
    return `share of the ${metric} gap closed by ${target.shareOfGap}${consistent}${target.shift === undefined ? '' : `, ${target.shift}`}: ${bounds}`;
  }
  const over = target.over === undefined ? '' : ` over ${target.over}`;
  return `${STATISTIC_NAMES[target.statistic]} ${metric} of ${target.of}${over}: ${bounds}`;
}
