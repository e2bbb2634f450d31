// A study's findings as tables, and these as Markdown.
import { type GapClosed, LEAST_GAP } from './gap.js';
import type { Race } from './race.js';
import type { PairedDifference, RowSummary, StudySummary, TestSummary } from './summary.js';
import type { JudgedTarget } from './targets.js';

/** Cells as text; the first row is the header. */
export interface StudyTable {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

/** Rows, paired differences, the gap and the targets of a test, as far as there are any. */
export function studyTables({ n, rows, differences, gaps, races, targets }: TestSummary): StudyTable[] {
  const scores = ['SSIM', 'worst', 'matched', 'PSNR', 'worst', 'NMSE', 'iterations', 's/slice', 'verdicts'];
  const tables = [
    { title: 'Scores', rows: [['image', ...scores], ...rows.map(rowCells)] },
    {
      title: 'Paired differences',
      rows: [
        ['paired difference', 'SSIM', 'worst', 'won', 'PSNR', 'worst'],
        ...differences.map((each) => pairCells(each, n)),
      ],
    },
    {
      title: 'The gap between training domains',
      rows: [['gap', 'Q - P', 'share closed', '|Q - P| adapted', 'mean |.|'], ...gaps.map(gapCells)],
    },
    {
      title: 'Time to the best SSIM of another adaptation, by the reference',
      rows: [['adaptation', 'the best of', 'SSIM', 'its s/slice', 's/slice'], ...races.map(raceCells)],
    },
    { title: 'Targets', rows: [['target', 'measured', ''], ...targets.map(targetCells)] },
  ];
  return tables.filter(({ rows: [, ...body] }) => body.length > 0);
}

/** All tables of a study in Markdown. */
export function describeStudy({ title, tests }: StudySummary): string {
  const described = tests.map((test) =>
    [`## ${test.name}, n = ${test.n}`, ...studyTables(test).map(({ rows }) => markdown(rows))].join('\n\n'),
  );
  return [`# ${title}`, ...described].join('\n\n');
}

function rowCells({
  name,
  lambda,
  ssim,
  ssimMatched,
  psnr,
  nmse,
  iterations,
  seconds,
  verdicts,
}: RowSummary): string[] {
  return [
    lambda === undefined ? name : `${name} (λ ${lambda})`,
    `${ssim.mean.toFixed(4)} ± ${ssim.deviation.toFixed(4)}`,
    ssim.worst.toFixed(4),
    ssimMatched.mean.toFixed(4),
    `${psnr.mean.toFixed(2)} ± ${psnr.deviation.toFixed(2)}`,
    psnr.worst.toFixed(2),
    nmse.mean.toPrecision(3),
    iterations === undefined ? '' : iterations.toFixed(0),
    seconds.toPrecision(3),
    verdicts === undefined
      ? ''
      : Object.entries(verdicts)
          .map(([verdict, count]) => `${count} ${verdict}`)
          .join(', '),
  ];
}

function pairCells({ of, over, ssim, psnr, won }: PairedDifference, n: number): string[] {
  return [
    `${of} over ${over}`,
    `${signed(ssim.mean, 4)} ± ${ssim.deviation.toFixed(4)}`,
    signed(ssim.worst, 4),
    `${won} of ${n}`,
    `${signed(psnr.mean, 2)} ± ${psnr.deviation.toFixed(2)}`,
    signed(psnr.worst, 2),
  ];
}

function gapCells({ shift, recipe, consistent, metric, gap, share, remaining }: GapClosed): string[] {
  return [
    `${shift}: ${recipe}${consistent ? ', consistent' : ''}, ${metric === 'ssim' ? 'SSIM' : 'matched SSIM'}`,
    signed(gap, 4),
    share === undefined ? `gap too small (below ${LEAST_GAP})` : `${(100 * share).toFixed(0)} %`,
    remaining === undefined ? '' : remaining.ofMeans.toFixed(4),
    remaining === undefined ? '' : remaining.ofSlices.toFixed(4),
  ];
}

function raceCells({ of, against, ssim, theirs, ours }: Race): string[] {
  return [
    of,
    against,
    ssim.toFixed(4),
    theirs.toPrecision(3),
    ours === undefined ? 'never on some slice' : ours.toPrecision(3),
  ];
}

function targetCells({ text, measured, judgement }: JudgedTarget): string[] {
  return [text, measured === undefined ? '' : measured.toFixed(4), judgement === 'missed' ? 'MISSED' : judgement];
}

const signed = (value: number, digits: number): string => `${value < 0 ? '' : '+'}${value.toFixed(digits)}`;

/** A Markdown table with aligned columns. */
function markdown(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = rows[0].map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)));
  const line = (row: readonly string[]): string => `| ${row.map((cell, c) => cell.padEnd(widths[c])).join(' | ')} |`;
  const [title, ...body] = cells.map(line);
  return [title, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}
