// The page of a training run: its curves, and validation slices as the network makes them.
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFailure } from '../io/file-errors.js';
import { psnr, ssim } from '../metrics/metrics.js';
import type { MetricsRow } from '../training/metrics-log.js';
import type { ValidationPicture } from '../training/plan.js';
import { lineChart, type Series } from './chart.js';
import { type ReportSlice, sliceFile, writeReport } from './report.js';

/** What `writeTrainingReport` shows. */
export interface TrainingReport {
  readonly title: string;
  readonly facts: readonly string[];
  readonly rows: readonly MetricsRow[];
  /** Of the validation after step `step`. */
  readonly step: number;
  readonly pictures: readonly ValidationPicture[];
  /** Stands at the end of the page as it is. */
  readonly config: object;
}

/** Curves of steps are means over stretches, about as many as can be told apart. */
const STRETCHES = 200;

/**
 * Writes `report.html` with the curves so far and the latest pictures, these also as PNG files, and beside them the panels of every
 * validation, `step-000200-slice-003.png`: zero-filled, network, target; below them the errors.
 *
 * @param directory Made if missing. @returns Path of `report.html`. Throws as `writeReport`.
 */
export async function writeTrainingReport(directory: string, report: TrainingReport): Promise<string> {
  const { title, facts, rows, step, pictures, config } = report;
  const slices = pictures.map(
    ({ index, zeroFilled, network, target }): ReportSlice => ({
      index,
      images: [
        { name: 'Zero-filled', image: zeroFilled, metrics: figures(target, zeroFilled) },
        { name: 'Network', image: network, metrics: figures(target, network) },
      ],
      reference: target,
    }),
  );
  const path = await writeReport(directory, { title, facts, charts: trainingCharts(rows), slices, manifest: config });
  for (const { index } of slices) {
    const panel = join(directory, `step-${String(step).padStart(6, '0')}-${sliceFile(index)}.png`);
    await copyFile(join(directory, `${sliceFile(index)}.png`), panel).catch((error: unknown) => {
      throw writeFailure(panel, error);
    });
  }
  return path;
}

function figures(
  target: ValidationPicture['target'],
  image: ValidationPicture['network'],
): { ssim: number; psnr: number } {
  return { ssim: ssim(target, image), psnr: psnr(target, image) };
}

/** Loss, SSIM, PSNR, learning rate and gradient norm against the step, as far as the rows have them. */
export function trainingCharts(rows: readonly MetricsRow[]): string[] {
  const ofSteps = (key: 'loss' | 'learningRate' | 'gradientNorm'): Series['points'] =>
    thinned(rows.flatMap(({ step, [key]: y }) => (typeof y === 'number' ? [{ x: step, y }] : [])));
  const ofValidations = (key: 'loss' | 'ssim' | 'psnr'): Series['points'] =>
    rows.flatMap(({ step, validation }) =>
      typeof validation?.[key] === 'number' ? [{ x: step, y: validation[key] }] : [],
    );
  const judged = ofValidations('loss');
  const best = judged.reduce<(typeof judged)[number] | undefined>(
    (lowest, point) => (lowest === undefined || point.y < lowest.y ? point : lowest),
    undefined,
  );
  const mark = best && { x: best.x, text: `best: ${best.x}` };
  const training = (points: Series['points']): Series => ({ name: 'training', role: 'training', points });
  const validation = (points: Series['points']): Series => ({ name: 'validation', role: 'held-out', points });
  const charts: [yLabel: string, series: Series[], marked: boolean][] = [
    ['loss', [training(ofSteps('loss')), validation(judged)], true],
    ['SSIM', [validation(ofValidations('ssim'))], true],
    ['PSNR [dB]', [validation(ofValidations('psnr'))], true],
    ['learning rate', [training(ofSteps('learningRate'))], false],
    ['gradient norm', [training(ofSteps('gradientNorm'))], false],
  ];
  return charts
    .map(([yLabel, series, marked]) => ({
      title: `${yLabel} by step`,
      xLabel: 'step',
      yLabel,
      series: series.filter(({ points }) => points.length > 0),
      mark: marked ? mark : undefined,
    }))
    .filter(({ series }) => series.length > 0)
    .map(lineChart);
}

/** Means over stretches of points where there are very many. */
function thinned(points: Series['points']): Series['points'] {
  const length = Math.ceil(points.length / STRETCHES);
  if (length <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / length) }, (_, i) => {
    const stretch = points.slice(i * length, (i + 1) * length);
    const y = stretch.reduce((sum, point) => sum + point.y, 0) / stretch.length;
    return { x: stretch[stretch.length - 1].x, y };
  });
}
