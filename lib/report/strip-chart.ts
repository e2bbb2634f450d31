// Values of several rows on one axis: a dot for each slice, a stroke for their mean.
import { tickLabels, ticks } from './chart.js';
import { escapeHtml } from './html.js';

export interface Strip {
  readonly name: string;
  readonly values: readonly number[];
}

const WIDTH = 900;
const LEFT = 300;
const RIGHT = 24;
const TOP = 10;
const ROW = 19;
const BOTTOM = 44;

/** The chart as an `<svg>` element, rows from top to bottom; values that are not finite are left out. */
export function stripChart(title: string, label: string, strips: readonly Strip[]): string {
  const finite = strips.map(({ name, values }) => ({ name, values: values.filter(Number.isFinite) }));
  const every = finite.flatMap(({ values }) => values);
  if (every.length === 0) return '';
  const [low, high] = [Math.min(...every), Math.max(...every)];
  const margin = 0.04 * (high - low || 1);
  const [from, to] = [low - margin, high + margin];
  const height = TOP + ROW * strips.length + BOTTOM;
  const foot = height - BOTTOM;
  const px = (value: number): string => (LEFT + ((WIDTH - LEFT - RIGHT) * (value - from)) / (to - from)).toFixed(1);
  const levels = ticks(from, to, 8);
  const labels = tickLabels(levels);
  const grid = levels.map(
    (tick, i) =>
      `<line class="grid" x1="${px(tick)}" x2="${px(tick)}" y1="${TOP}" y2="${foot}"/>` +
      `<text class="tick" x="${px(tick)}" y="${foot + 16}" text-anchor="middle">${labels[i]}</text>`,
  );
  const rows = finite.map(({ name, values }, i) => {
    const y = TOP + ROW * (i + 0.5);
    const dots = values.map((value) => `<circle class="strip-dot" cx="${px(value)}" cy="${y}" r="4"/>`).join('');
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const stroke =
      values.length === 0
        ? ''
        : `<line class="strip-mean" x1="${px(mean)}" x2="${px(mean)}" y1="${y - 7}" y2="${y + 7}"/>`;
    return `<text class="row-name" x="${LEFT - 10}" y="${y + 4}" text-anchor="end">${escapeHtml(name)}</text>${dots}${stroke}`;
  });
  return (
    `<svg class="chart" style="max-width: none" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(title)}">` +
    `<title>${escapeHtml(title)}</title>${grid.join('')}` +
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${foot}" y2="${foot}"/>${rows.join('')}` +
    `<text class="label" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${height - 8}" text-anchor="middle">${escapeHtml(label)}</text></svg>`
  );
}
