// Charts of reports, and their text.
import { describe, expect, test } from 'vitest';
import { lineChart, tickLabels, ticks } from '#larmor/report/chart.js';
import { escapeHtml, formatNumber } from '#larmor/report/html.js';

describe('text', () => {
  test('markup and control characters do not get through', () => {
    expect(escapeHtml(`<img src="x" onerror='a&b'>\u0000`)).toBe(
      '&lt;img src=&quot;x&quot; onerror=&#39;a&amp;b&#39;&gt; ',
    );
  });

  test.each([
    [0.012345, '0.0123'],
    [123.45, '123'],
    [-4.1e-7, '−4.10e−7'],
    [0, '0'],
    [Number.POSITIVE_INFINITY, '∞'],
    [Number.NaN, 'not a number'],
  ])('%d reads %s', (value, text) => expect(formatNumber(value)).toBe(text));

  test.each([
    [0, 10, 5, [0, 2, 4, 6, 8, 10]],
    [0.31, 0.5, 4, [0.35, 0.4, 0.45, 0.5]],
    [3, 3, 5, [3]],
  ])('ticks from %d to %d', (from, to, count, want) => expect(ticks(from, to, count)).toEqual(want));
});

describe('tickLabels', () => {
  test('as many digits as ticks have', () => {
    expect(tickLabels([0.25, 0.5, 1])).toEqual(['0.25', '0.5', '1']);
    expect(tickLabels([0.98706, 0.98708, 0.9871])).toEqual(['0.98706', '0.98708', '0.9871']);
    expect(tickLabels([33.8325, 33.835, 33.8375])).toEqual(['33.8325', '33.835', '33.8375']);
    expect(tickLabels(ticks(0.1, 0.4, 3))).toEqual(['0.1', '0.2', '0.3', '0.4']);
  });
});

describe('lineChart', () => {
  const series = (points: { x: number; y: number }[]) => [{ name: 'a & b', role: 'held-out' as const, points }];

  test('draws every point to scale', () => {
    const svg = lineChart({
      title: 't',
      xLabel: 'x',
      yLabel: 'y',
      series: series([0, 1, 2].map((x) => ({ x, y: 2 - x }))),
    });
    const path = /class="line held-out" d="([^"]+)"/.exec(svg)?.[1] ?? '';
    const [first, middle, last] = path
      .split(/[ML]/)
      .slice(1)
      .map((pair) => pair.split(' ').map(Number));
    // Equal steps down and to the right.
    expect(middle[0] - first[0]).toBeCloseTo(last[0] - middle[0], 0);
    expect(middle[1] - first[1]).toBeCloseTo(last[1] - middle[1], 0);
    expect(last[1]).toBeGreaterThan(first[1]);
    expect(svg).toContain('a &amp; b');
  });

  test.each([
    ['no points', []],
    ['one point', [{ x: 3, y: 1 }]],
    [
      'values that are not finite',
      [
        { x: 0, y: 1 },
        { x: 1, y: Number.NaN },
        { x: 2, y: Number.POSITIVE_INFINITY },
      ],
    ],
    [
      'a constant',
      [
        { x: 0, y: 0 },
        { x: 1, y: 0 },
      ],
    ],
  ])('stands %s', (_, points) => {
    const svg = lineChart({ title: 't', xLabel: 'x', yLabel: 'y', series: series(points), mark: { x: 0, text: 'm' } });
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});
