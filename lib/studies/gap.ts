// How much of the gap between training on another domain and on the test's own adaptation closes, by both published definitions.
import type { StudyConfig } from './config.js';
import { rowName } from './rows.js';
import { mean } from './spread.js';
import { differences, figures, rowNamed, type TableRow } from './table.js';
import type { Metric } from './target-schema.js';

/** Below this difference of mean SSIM the share says nothing but how much adaptation gains. */
export const LEAST_GAP = 0.01;

/** Adaptation of one recipe against the gap of a test. */
export interface GapClosed {
  /** Name of the pair of models. */
  readonly shift: string;
  readonly recipe: string;
  /** After the final data consistency. */
  readonly consistent: boolean;
  readonly metric: Metric;
  /** Q supervised minus P supervised, both as they are. */
  readonly gap: number;
  /** (P joint + recipe - P supervised) / gap; undefined where the gap is below `LEAST_GAP`. */
  readonly share: number | undefined;
  /** |mean of Q joint + recipe - P joint + recipe|, where Q adapts too, and the mean of the slices' own magnitudes. */
  readonly remaining: { readonly ofMeans: number; readonly ofSlices: number } | undefined;
}

/**
 * Every recipe of the models that stand for P against the gap, by SSIM and matched SSIM. Nothing where the study lacks the models.
 *
 * @see Darestani, Liu, Heckel, Test-time training can close the natural distribution shift performance gap, ICML 2022; the share is by means
 *   over the slices of a test.
 */
export function gapsClosed({ shifts, recipes }: StudyConfig, rows: readonly TableRow[]): GapClosed[] {
  const asked = Object.entries(shifts).flatMap(([shift, { P, Q }]) =>
    Object.keys(recipes).map((recipe) => ({ shift, P, Q, recipe })),
  );
  return asked.flatMap(({ shift, P, Q, recipe }) =>
    (['raw', 'consistent'] as const).flatMap((variant) =>
      (['ssim', 'ssimMatched'] as const).flatMap((metric): GapClosed[] => {
        const low = rowNamed(rows, rowName(P.supervised, variant));
        const high = rowNamed(rows, rowName(Q.supervised, variant));
        const adapted = rowNamed(rows, rowName(`${P.joint} + ${recipe}`, variant));
        const ideal = rowNamed(rows, rowName(`${Q.joint} + ${recipe}`, variant));
        if (!low || !high || !adapted) return [];
        const average = (row: TableRow): number => mean(figures(row, metric));
        const gap = average(high) - average(low);
        const left = ideal && differences(ideal, adapted, metric);
        return [
          {
            shift,
            recipe,
            consistent: variant === 'consistent',
            metric,
            gap,
            share: gap < LEAST_GAP ? undefined : (average(adapted) - average(low)) / gap,
            remaining: left && { ofMeans: Math.abs(mean(left)), ofSlices: mean(left.map(Math.abs)) },
          },
        ];
      }),
    ),
  );
}
