// Strip charts: where the dots and strokes stand.
import { expect, test } from 'vitest';
import { stripChart } from '#larmor/report/strip-chart.js';

const numbers = (svg: string, pattern: RegExp): number[] =>
  [...svg.matchAll(pattern)].map(([, value]) => Number(value));

test('a dot for every value, on one axis for all rows, and a stroke at the mean', () => {
  const svg = stripChart('Scores <1>', 'SSIM', [
    { name: 'a & b', values: [0.2, 0.4] },
    { name: 'none', values: [Number.NaN] },
    { name: 'c', values: [0.8, 0.2] },
  ]);
  expect(svg).toContain('a &amp; b');
  expect(svg).toContain('Scores &lt;1&gt;');
  const dots = numbers(svg, /<circle class="strip-dot" cx="([\d.]+)"/g);
  expect(dots.length).toBe(4);
  const [low, middle, high, lowAgain] = dots;
  expect(lowAgain).toBe(low);
  // The axis is linear: .4 stands a third of the way from .2 to .8.
  expect((middle - low) / (high - low)).toBeCloseTo(1 / 3, 2);
  const [first, second, ...rest] = numbers(svg, /<line class="strip-mean" x1="([\d.]+)"/g);
  expect(rest).toEqual([]);
  expect((first - low) / (high - low)).toBeCloseTo(1 / 6, 2);
  expect((second - low) / (high - low)).toBeCloseTo(1 / 2, 2);
});

test('nothing to show', () => {
  expect(stripChart('empty', 'SSIM', [{ name: 'a', values: [] }])).toBe('');
});
