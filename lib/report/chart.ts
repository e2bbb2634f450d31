// A small line chart in SVG: training and held-out loss per iteration, the chosen iteration marked.
import { escapeHtml, formatNumber } from './html.js';

/** One line of a chart. `role` picks its colour from the page's style. */
export interface Series {
  readonly name: string;
  readonly role: 'training' | 'held-out';
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface ChartOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** Marked with a vertical line and this text. */
  readonly mark?: { readonly x: number; readonly text: string } | undefined;
}

const WIDTH = 640;
const HEIGHT = 260;
const LEFT = 78;
const RIGHT = 20;
const TOP = 34;
const BOTTOM = 42;
/** More points than pixels cannot be told apart. */
const MAX_POINTS = 600;

/** Round numbers that cover from..to in about `count` steps. */
export function ticks(from: number, to: number, count: number): number[] {
  const span = to - from;
  if (!(span > 0)) return [from];
  const rough = span / count;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * magnitude).find((size) => size >= rough * 0.999)!;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Labels of ticks, all of their digits: fewer would round neighbours on a narrow axis to the same number. */
export const tickLabels = (values: readonly number[]): string[] => values.map((value) => formatNumber(value, 12));

function extent(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return low <= high ? [low, high] : [0, 1];
}

/** The chart as an `<svg>` element, styled by classes; points that are not finite are left out. */
export function lineChart({ title, xLabel, yLabel, series, mark }: ChartOptions): string {
  const finite = series.map((line) => ({
    ...line,
    points: line.points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)),
  }));
  const every = finite.flatMap(({ points }) => points);
  const [x0, x1] = extent([...every.map(({ x }) => x), ...(mark ? [mark.x] : [])]);
  const [low, high] = extent(every.map(({ y }) => y));
  const margin = 0.06 * (high - low || Math.abs(high) || 1);
  const [y0, y1] = [low - margin, high + margin];
  const px = (x: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * (x - x0)) / (x1 - x0 || 1);
  const py = (y: number): number => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * (y - y0)) / (y1 - y0);
  const at = (value: number): string => value.toFixed(1);

  const levels = ticks(y0, y1, 5);
  const labels = tickLabels(levels);
  const grid = levels.map(
    (y, i) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(py(y))}" y2="${at(py(y))}"/>` +
      `<text class="tick" x="${LEFT - 8}" y="${at(py(y) + 4)}" text-anchor="end">${labels[i]}</text>`,
  );
  const below = ticks(x0, x1, 8)
    .filter(Number.isInteger)
    .map(
      (x) =>
        `<text class="tick" x="${at(px(x))}" y="${HEIGHT - BOTTOM + 17}" text-anchor="middle">${formatNumber(x, 6)}</text>`,
    );
  const lines = finite.map(({ role, points }) => {
    const stride = Math.max(1, Math.ceil(points.length / MAX_POINTS));
    const drawn = points.filter((_, i) => i % stride === 0 || i === points.length - 1);
    const path = drawn.map(({ x, y }, i) => `${i === 0 ? 'M' : 'L'}${at(px(x))} ${at(py(y))}`).join('');
    const dot =
      points.length === 1
        ? `<circle class="dot ${role}" cx="${at(px(points[0].x))}" cy="${at(py(points[0].y))}" r="3.5"/>`
        : '';
    return `<path class="line ${role}" d="${path}"/>${dot}`;
  });
  const legend = finite.map(({ name, role }, i) => {
    const x = LEFT + 150 * i;
    return (
      `<line class="line ${role}" x1="${x}" x2="${x + 22}" y1="14" y2="14"/>` +
      `<text class="legend" x="${x + 29}" y="18">${escapeHtml(name)}</text>`
    );
  });
  return (
    `<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">` +
    `<title>${escapeHtml(title)}</title>${grid.join('')}${below.join('')}` +
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${HEIGHT - BOTTOM}" y2="${HEIGHT - BOTTOM}"/>` +
    `<text class="label" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeHtml(xLabel)}</text>` +
    `<text class="label" transform="translate(13 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(yLabel)}</text>` +
    `${marker(mark, finite, px, py)}${lines.join('')}${legend.join('')}</svg>`
  );
}

/** Vertical line at the marked iteration, with a dot on the last series there. */
function marker(
  mark: ChartOptions['mark'],
  series: readonly Series[],
  px: (x: number) => number,
  py: (y: number) => number,
): string {
  if (!mark) return '';
  const x = px(mark.x);
  const toTheLeft = x > WIDTH / 2;
  const judged = series.at(-1)?.points.find((point) => point.x === mark.x);
  const dot = judged ? `<circle class="mark-dot" cx="${x.toFixed(1)}" cy="${py(judged.y).toFixed(1)}" r="4.5"/>` : '';
  return (
    `<line class="mark" x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${TOP - 4}" y2="${HEIGHT - BOTTOM}"/>` +
    `<text class="mark-text" x="${(x + (toTheLeft ? -7 : 7)).toFixed(1)}" y="${TOP + 8}" text-anchor="${toTheLeft ? 'end' : 'start'}">` +
    `${escapeHtml(mark.text)}</text>${dot}`
  );
}
