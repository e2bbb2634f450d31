// A study as one page: tables, a chart of all scores, pictures with error maps, and how adaptation went.
import type { RealArray } from '../arrays/complex-array.js';
import { lineChart } from '../report/chart.js';
import { escapeHtml } from '../report/html.js';
import { adaptationChart, imageColumns, renderDocument } from '../report/page.js';
import { drawSlice } from '../report/report.js';
import { stripChart } from '../report/strip-chart.js';
import type { StudyConfig } from './config.js';
import { isPictured } from './pictures.js';
import type { StudyCase } from './produce.js';
import type { StudyRun } from './study.js';
import type { StudySummary, TestSummary } from './summary.js';
import { type TableRow, tableOf } from './table.js';
import { type StudyTable, studyTables } from './text.js';

/**
 * The page of a finished study, self-contained.
 *
 * @throws as `prepareCase`, which makes the references of pictured slices again; signal.reason when aborted.
 */
export async function renderStudy(
  study: StudyConfig,
  run: StudyRun,
  summary: StudySummary,
  options: Parameters<StudyCase['prepare']>[0] = {},
): Promise<string> {
  const sections: string[] = [];
  for (const [index, test] of summary.tests.entries()) {
    const rows = tableOf(study, run, index);
    sections.push(testSection(test, rows));
    for (const [position, each] of run.cases[index].entries())
      if (isPictured(study, each)) sections.push(await sliceSection(test.name, each, position, rows, run, options));
  }
  const { targetsMissed, larmor } = summary;
  const targets = summary.tests.flatMap(({ targets: judged }) => judged).length;
  const facts = [
    `${Object.keys(study.models).length} models, ${Object.keys(study.recipes).length} recipes`,
    ...(targets > 0 ? [`${targets} targets, ${targetsMissed} missed`] : []),
    `larmor ${larmor}`,
  ];
  return renderDocument({ title: study.title, facts, sections, record: { name: 'Configuration', content: study } });
}

function testSection(test: TestSummary, rows: readonly TableRow[]): string {
  const strips = rows.map(({ name, scores }) => ({ name, values: scores.map(({ ssim }) => ssim) }));
  const [scores, ...others] = studyTables(test);
  return (
    `<section class="tables"><div class="head"><h2>${escapeHtml(test.name)}</h2><span class="note">n = ${test.n}</span></div>` +
    stripChart(`SSIM of every slice: ${test.name}`, 'SSIM; dots are slices, strokes means', strips) +
    `${[scores, ...others].map(tableHtml).join('')}</section>`
  );
}

const CLASSES: Readonly<Record<string, string>> = { MISSED: ' class="missed"', met: ' class="met"' };

function tableHtml({ title, rows: [header, ...body] }: StudyTable): string {
  const head = header.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join('');
  const lines = body.map(
    (cells) => `<tr>${cells.map((cell) => `<td${CLASSES[cell] ?? ''}>${escapeHtml(cell)}</td>`).join('')}</tr>`,
  );
  return (
    `<h3>${escapeHtml(title)}</h3><div class="wide"><table><thead><tr>${head}</tr></thead>` +
    `<tbody>${lines.join('')}</tbody></table></div>`
  );
}

/** One slice by every row that has an image, and the curves of its adaptations. */
async function sliceSection(
  test: string,
  each: StudyCase,
  position: number,
  rows: readonly TableRow[],
  { store }: StudyRun,
  options: Parameters<StudyCase['prepare']>[0],
): Promise<string> {
  const images: { name: string; image: RealArray; metrics: TableRow['scores'][number] }[] = [];
  for (const { name, variant, results, scores } of rows) {
    const image = (await store.readImages(results[position].digest)).get(variant);
    if (image) images.push({ name, image, metrics: scores[position] });
  }
  const { reference } = await each.prepare(options);
  const { page } = drawSlice({ index: each.slice, images, reference });
  const charts = rows.flatMap((row) => curves(row, position));
  return (
    `<section><div class="head"><h2>${escapeHtml(test)}, slice ${each.slice}</h2><span class="note">mask ${each.mask}</span></div>` +
    `${imageColumns(page, true)}<div class="charts">${charts.join('')}</div></section>`
  );
}

/** Losses of an adapted row's run; of an oracle's, the SSIM of stopping anywhere. */
function curves({ name, variant, results }: TableRow, position: number): string[] {
  const { adaptation, stops } = results[position].result;
  const titled = (svg: string): string => `<div><h3>${escapeHtml(name)}</h3>${svg}</div>`;
  if (variant === 'raw' && adaptation) return [titled(adaptationChart(`Loss: ${name}`, adaptation))];
  if (variant !== 'oracle' || !stops) return [];
  const points = stops.map(({ iterations, scores }) => ({ x: iterations, y: scores.ssim }));
  const series = [{ name: 'SSIM of stopping there', role: 'held-out', points }] as const;
  return [titled(lineChart({ title: `SSIM: ${name}`, xLabel: 'iteration', yLabel: 'SSIM', series }))];
}
