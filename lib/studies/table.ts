// The results of one test by row and slice.
import { LarmorError } from '../errors.js';
import type { Scores } from './case.js';
import type { StudyConfig } from './config.js';
import { type Producer, producerName, producersOf, rowName, type Variant, variantsOf } from './rows.js';
import { mean } from './spread.js';
import type { StudyResult, StudyRun } from './study.js';
import type { Metric } from './target-schema.js';

/** A row of a test's table: one kind of image of every slice. */
export interface TableRow {
  readonly name: string;
  readonly producer: Producer;
  readonly variant: Variant;
  /** Slice by slice, each mask in turn. */
  readonly results: readonly StudyResult[];
  readonly scores: readonly Scores[];
}

/** The rows of test `index` in their order; of classical methods with several weights, the one of the best mean SSIM. */
export function tableOf(study: StudyConfig, run: StudyRun, index: number): TableRow[] {
  const rows = producersOf(study).flatMap((producer) => {
    const results = run.cases[index].map((each) => {
      const found = run.results.find(
        ({ producer: made, case: { test, slice, mask } }) =>
          sameProducer(made, producer) && test === index && slice === each.slice && mask === each.mask,
      );
      if (!found) throw new LarmorError('ERR_INTERNAL', `study: no result of ${producerName(producer)}`);
      return found;
    });
    return variantsOf(producer, study).map((variant): TableRow => {
      const scores = results.map(({ result }) => result.scores[variant] as Scores);
      return { name: rowName(producerName(producer), variant), producer, variant, results, scores };
    });
  });
  return [...new Set(rows.map(({ name }) => name))].map((name) =>
    rows.filter((row) => row.name === name).reduce((best, row) => (meanSsim(row) > meanSsim(best) ? row : best)),
  );
}

const meanSsim = ({ scores }: TableRow): number => mean(scores.map(({ ssim }) => ssim));

const sameProducer = (a: Producer, b: Producer): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The row of that name. */
export const rowNamed = (rows: readonly TableRow[], name: string): TableRow | undefined =>
  rows.find((row) => row.name === name);

/** A figure of every slice. */
export const figures = ({ scores }: TableRow, metric: Metric): number[] => scores.map((each) => each[metric]);

/** What one row has more than another, slice by slice. */
export function differences(of: TableRow, over: TableRow, metric: Metric): number[] {
  const theirs = figures(over, metric);
  return figures(of, metric).map((value, i) => value - theirs[i]);
}
