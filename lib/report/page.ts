// The report's page: a table of figures of merit, then every slice with its images, errors and adaptation.
import { lineChart } from './chart.js';
import { escapeHtml, formatNumber } from './html.js';
import { errorColour } from './picture.js';
import { STYLE } from './style.js';

/** Figures of merit of one image, as many as are known: see `Metrics`. */
export interface ImageMetrics {
  readonly ssim?: number | undefined;
  readonly ssimMatched?: number | undefined;
  readonly psnr?: number | undefined;
  readonly nmse?: number | undefined;
}

/** What adaptation did to one slice. */
export interface SliceAdaptation {
  readonly verdict: string;
  readonly iterations: number;
  readonly bestIteration: number;
  /** Why it stopped. */
  readonly stop?: string | undefined;
  readonly seconds?: number | undefined;
  readonly curve: readonly { readonly iteration: number; readonly training: number; readonly heldOut: number }[];
}

/** One picture of the page; sources are data URIs. */
export interface PageImage {
  readonly name: string;
  readonly source: string;
  readonly errorSource?: string | undefined;
  readonly metrics?: ImageMetrics | undefined;
}

export interface PageSlice {
  readonly index: number;
  readonly images: readonly PageImage[];
  /** Largest error shown, as a fraction of white. */
  readonly errorLimit?: number | undefined;
  readonly adaptation?: SliceAdaptation | undefined;
}

export interface Page {
  readonly title: string;
  /** Short facts under the title. */
  readonly facts: readonly string[];
  /** Charts above the slices, as `lineChart` makes them. */
  readonly charts?: readonly string[] | undefined;
  readonly slices: readonly PageSlice[];
  readonly manifest: object;
}

interface Column {
  readonly key: keyof ImageMetrics;
  readonly title: string;
  /** Title where there is little room. */
  readonly short: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly text: (value: number) => string;
}

const decimals =
  (count: number) =>
  (value: number): string =>
    Number.isFinite(value) ? value.toFixed(count) : formatNumber(value);

const COLUMNS: readonly Column[] = [
  { key: 'ssim', title: 'SSIM', short: 'SSIM', unit: '', better: 'higher', text: decimals(4) },
  { key: 'ssimMatched', title: 'SSIM matched', short: 'matched', unit: '', better: 'higher', text: decimals(4) },
  { key: 'psnr', title: 'PSNR', short: 'PSNR', unit: ' dB', better: 'higher', text: decimals(2) },
  { key: 'nmse', title: 'NMSE', short: 'NMSE', unit: '', better: 'lower', text: (value) => formatNumber(value) },
];

const VERDICTS: Readonly<Record<string, string>> = {
  adapted: 'adapted',
  'not-needed': 'adaptation not needed',
  'stopped-early': 'stopped early',
  diverged: 'diverged: not adapted',
};

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Means over the slices that have the figure; undefined where none has. */
function means(slices: readonly PageSlice[]): { name: string; values: (number | undefined)[] }[] {
  const names = [...new Set(slices.flatMap(({ images }) => images.map(({ name }) => name)))];
  return names
    .map((name) => {
      const found = slices.flatMap(({ images }) => images.filter((image) => image.name === name));
      const values = COLUMNS.map(({ key }) => {
        const known = found.flatMap(({ metrics }) => metrics?.[key] ?? []);
        return known.length > 0 ? mean(known) : undefined;
      });
      return { name, values };
    })
    .filter(({ values }) => values.some((value) => value !== undefined));
}

function metricsTable(slices: readonly PageSlice[]): string {
  const rows = means(slices);
  if (rows.length === 0) return '';
  const shown = COLUMNS.map((column, c) => ({ column, c })).filter(({ c }) =>
    rows.some(({ values }) => values[c] !== undefined),
  );
  const best = shown.map(({ column, c }) => {
    const known = rows.flatMap(({ values }) => values[c] ?? []);
    return column.better === 'higher' ? Math.max(...known) : Math.min(...known);
  });
  const header = shown.map(({ column }) => `<th scope="col">${column.title}${column.unit && ' [dB]'}</th>`).join('');
  const body = rows.map(({ name, values }) => {
    const cells = shown.map(({ column, c }, i) => {
      const value = values[c];
      const isBest = rows.length > 1 && value === best[i];
      return `<td${isBest ? ' class="best"' : ''}>${value === undefined ? '' : column.text(value)}</td>`;
    });
    return `<tr><td>${escapeHtml(name)}</td>${cells.join('')}</tr>`;
  });
  const caption = slices.length === 1 ? 'One slice' : `Mean over ${slices.length} slices`;
  return (
    `<section><div class="head"><h2>Against the reference</h2><span class="note">${caption}; the best of each column in bold</span></div>` +
    `<div class="wide"><table><thead><tr><th scope="col">Image</th>${header}</tr></thead><tbody>${body.join('')}</tbody></table></div></section>`
  );
}

function figure({ name, source, errorSource, metrics }: PageImage, errorScale: string): string {
  const figures = COLUMNS.filter(({ key }) => metrics?.[key] !== undefined).map(
    ({ key, short, unit, text }) => `${short} <b>${text(metrics?.[key] as number)}${unit}</b>`,
  );
  const label = escapeHtml(name);
  // Each figure fills the same four rows, so that images stand level whatever the length of their names.
  const error = errorSource ? `<img src="${errorSource}" alt="Error of ${label}">` : `<div>${errorScale}</div>`;
  return (
    `<figure><figcaption>${label}</figcaption><img src="${source}" alt="${label}">${error}` +
    `${figures.length > 0 ? `<p class="figures">${figures.join('<br>')}</p>` : ''}</figure>`
  );
}

/** What the colours of the error maps mean; stands below the image that has no error, the reference. */
function colourScale(limit: number): string {
  const stops = Array.from({ length: 9 }, (_, i) => `rgb(${errorColour(i / 8).join(' ')})`).join(', ');
  return (
    `<div class="scale"><i style="background: linear-gradient(90deg, ${stops})"></i>` +
    `<span><span>0</span><span>error</span><span>${formatNumber(100 * limit)} % of white</span></span></div>`
  );
}

function adaptationText({ iterations, bestIteration, stop, seconds }: SliceAdaptation): string {
  const parts = [
    `weights of iteration ${bestIteration} of ${iterations}`,
    ...(stop ? [`stopped by ${stop}`] : []),
    ...(seconds === undefined ? [] : [`${formatNumber(seconds)} s`]),
  ];
  return parts.map(escapeHtml).join(', ');
}

/** Losses during an adaptation, the chosen iteration marked; empty without a curve. */
export function adaptationChart(title: string, { curve, bestIteration }: SliceAdaptation): string {
  if (curve.length === 0) return '';
  return lineChart({
    title,
    xLabel: 'iteration',
    yLabel: 'normalised loss',
    series: [
      {
        name: 'training',
        role: 'training',
        points: curve.map(({ iteration, training }) => ({ x: iteration, y: training })),
      },
      {
        name: 'held out',
        role: 'held-out',
        points: curve.map(({ iteration, heldOut }) => ({ x: iteration, y: heldOut })),
      },
    ],
    mark: { x: bestIteration, text: `chosen: ${bestIteration}` },
  });
}

/** Images side by side over their errors and figures; or, where there are many, row after row. */
export function imageColumns({ images, errorLimit }: Pick<PageSlice, 'images' | 'errorLimit'>, wrap = false): string {
  const scale = errorLimit === undefined ? '' : colourScale(errorLimit);
  const figures = images.map((image) => figure(image, scale)).join('');
  return wrap
    ? `<div class="columns wrapped">${figures}</div>`
    : `<div class="wide"><div class="columns" style="--n: ${images.length}">${figures}</div></div>`;
}

function sliceSection(slice: PageSlice): string {
  const { index, adaptation } = slice;
  const badge = adaptation
    ? `<span class="badge ${escapeHtml(adaptation.verdict)}">${escapeHtml(VERDICTS[adaptation.verdict] ?? adaptation.verdict)}</span>` +
      `<span class="note">${adaptationText(adaptation)}</span>`
    : '';
  return (
    `<section id="slice-${index}"><div class="head"><h2>Slice ${index}</h2>${badge}</div>` +
    imageColumns(slice) +
    `${adaptation ? adaptationChart(`Loss during adaptation of slice ${index}`, adaptation) : ''}</section>`
  );
}

/** The page as one self-contained document without scripts; all text is escaped. */
export function renderPage({ title, facts, charts = [], slices, manifest }: Page): string {
  return renderDocument({
    title,
    facts,
    sections: [
      charts.length > 0 ? `<section><div class="charts">${charts.join('')}</div></section>` : '',
      metricsTable(slices),
      ...slices.map(sliceSection),
    ],
    record: { name: 'Manifest', content: manifest },
  });
}

/** What every page has around its sections, which are HTML already. */
export function renderDocument({
  title,
  facts,
  sections,
  record,
}: {
  readonly title: string;
  readonly facts: readonly string[];
  readonly sections: readonly string[];
  /** Stands folded at the end. */
  readonly record: { readonly name: string; readonly content: object };
}): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p class="facts">${facts.map(escapeHtml).join(' · ')}</p>
${sections.join('\n')}
<section><details><summary>${escapeHtml(record.name)}</summary><pre>${escapeHtml(JSON.stringify(record.content, null, 2))}</pre></details></section>
<footer>Made by larmor. For research; not for diagnosis.</footer>
</body>
</html>
`;
}
