// What a study found, as one JSON document: every slice, means and spreads, paired differences, the gap, the targets.
import { softwareVersions } from '../reconstruction/manifest.js';
import type { Scores } from './case.js';
import type { StudyConfig } from './config.js';
import { type GapClosed, gapsClosed } from './gap.js';
import type { Stop } from './produce.js';
import { type Race, races } from './race.js';
import { CG_SENSE, L1_WAVELET, producerName, rowName } from './rows.js';
import { mean, type Spread, spreadOf } from './spread.js';
import type { StudyRun } from './study.js';
import { differences, figures, rowNamed, type TableRow, tableOf } from './table.js';
import { METRICS, type Metric } from './target-schema.js';
import { type JudgedTarget, judge } from './targets.js';

/** One image of one slice. */
export interface SliceFigures extends Scores {
  readonly slice: number;
  readonly mask: number;
  readonly seconds: number;
  readonly verdict?: string | undefined;
  readonly iterations?: number | undefined;
  readonly bestIteration?: number | undefined;
  readonly stop?: string | undefined;
  readonly stops?: readonly Stop[] | undefined;
}

/** One kind of image over the slices of a test. */
export interface RowSummary extends Readonly<Record<Metric, Spread>> {
  readonly name: string;
  /** Weight of the penalty, of classical methods. */
  readonly lambda?: number | undefined;
  /** Mean seconds per slice to make the image, final data consistency apart. */
  readonly seconds: number;
  /** Mean, of adapted models. */
  readonly iterations?: number | undefined;
  /** How many slices got which. */
  readonly verdicts?: Readonly<Record<string, number>> | undefined;
  readonly slices: readonly SliceFigures[];
}

/** One row against another, slice by slice. */
export interface PairedDifference {
  readonly of: string;
  readonly over: string;
  readonly ssim: Spread;
  readonly psnr: Spread;
  /** Slices whose SSIM is higher. */
  readonly won: number;
}

export interface TestSummary {
  readonly name: string;
  /** Slices times masks. */
  readonly n: number;
  readonly rows: readonly RowSummary[];
  readonly differences: readonly PairedDifference[];
  readonly gaps: readonly GapClosed[];
  readonly races: readonly Race[];
  readonly targets: readonly JudgedTarget[];
}

/** What a study found. */
export interface StudySummary {
  readonly title: string;
  readonly larmor: string;
  readonly models: StudyRun['models'];
  readonly tests: readonly TestSummary[];
  readonly targetsMissed: number;
  readonly config: StudyConfig;
}

/** Sums a study up. */
export function summarise(study: StudyConfig, run: StudyRun): StudySummary {
  const tests = study.tests.map(({ name, targets }, index): TestSummary => {
    const rows = tableOf(study, run, index);
    const gaps = gapsClosed(study, rows);
    return {
      name,
      n: run.cases[index].length,
      rows: rows.map(summariseRow),
      differences: pairs(study, rows),
      gaps,
      races: races(rows),
      targets: judge(targets, rows, gaps),
    };
  });
  const missed = tests.flatMap(({ targets }) => targets).filter(({ judgement }) => judgement === 'missed');
  const { larmor } = softwareVersions();
  return { title: study.title, larmor, models: run.models, tests, targetsMissed: missed.length, config: study };
}

function summariseRow(row: TableRow): RowSummary {
  const { name, producer, variant, results, scores } = row;
  const spread = (metric: Metric): Spread => spreadOf(figures(row, metric), metric);
  const slices = results.map(({ case: { slice, mask }, result }, i): SliceFigures => {
    const { seconds, adaptation, stops } = result;
    const told = variant === 'oracle' ? bestStop(stops ?? []) : adaptation && outcome(adaptation);
    return { slice, mask, ...scores[i], seconds, ...told };
  });
  const iterations = slices.flatMap(({ iterations: made }) => made ?? []);
  const verdicts = slices.flatMap(({ verdict }) => verdict ?? []);
  return {
    name,
    ...('lambda' in producer && { lambda: producer.lambda }),
    ...(Object.fromEntries(METRICS.map((metric) => [metric, spread(metric)])) as Record<Metric, Spread>),
    seconds: mean(slices.map(({ seconds }) => seconds)),
    ...(iterations.length > 0 && { iterations: mean(iterations) }),
    ...(verdicts.length > 0 && { verdicts: tally(verdicts) }),
    slices,
  };
}

const outcome = ({
  verdict,
  iterations,
  bestIteration,
  stop,
}: Pick<SliceFigures, 'verdict' | 'iterations' | 'bestIteration' | 'stop'>) => ({
  verdict,
  iterations,
  bestIteration,
  stop,
});

/** Where the best of the stops is, and all of them. */
function bestStop(stops: readonly Stop[]): Pick<SliceFigures, 'stops'> & Partial<Pick<Stop, 'iterations' | 'seconds'>> {
  if (stops.length === 0) return { stops };
  const { iterations, seconds } = stops.reduce((best, each) => (each.scores.ssim > best.scores.ssim ? each : best));
  return { stops, iterations, seconds };
}

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** Adapted rows against unadapted ones, against the classical methods, and P against Q. */
function pairs({ shifts }: StudyConfig, rows: readonly TableRow[]): PairedDifference[] {
  return rows.flatMap((row) => {
    const { producer, variant } = row;
    if (producer.kind !== 'network' || variant === 'oracle') return [];
    const { model, recipe } = producer;
    const adapted = recipe !== undefined;
    const idealModels = Object.values(shifts).flatMap(({ P, Q }) => {
      const [own, ideal] = adapted ? [P.joint, Q.joint] : [P.supervised, Q.supervised];
      return model === own ? [ideal] : [];
    });
    const others = [
      ...(adapted ? [rowName(model, variant)] : []),
      ...idealModels.map((ideal) => rowName(producerName({ ...producer, model: ideal }), variant)),
      ...(adapted ? [CG_SENSE, L1_WAVELET] : []),
    ];
    return others.flatMap((name) => {
      const other = rowNamed(rows, name);
      if (!other) return [];
      const [ssim, psnr] = (['ssim', 'psnr'] as const).map((metric) => differences(row, other, metric));
      return {
        of: row.name,
        over: name,
        ssim: spreadOf(ssim, 'ssim'),
        psnr: spreadOf(psnr, 'psnr'),
        won: ssim.filter((value) => value > 0).length,
      };
    });
  });
}
