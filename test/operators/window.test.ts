import { expect, test } from 'vitest';
import { WINDOW_TYPES, type WindowOptions, windowWeights } from '#larmor/operators/window.js';

test.each(WINDOW_TYPES)('%s falls from the centre to both sides alike', (type) => {
  for (const n of [1, 2, 9, 32]) {
    const weights = windowWeights({ type }, n);
    const centre = Math.floor(n / 2);
    if (n > 2) expect(weights[centre]).toBeGreaterThan(0.98);
    for (let k = 1; centre + k < n; k += 1) {
      expect(weights[centre + k]).toBe(weights[centre - k]);
      expect(weights[centre + k]).toBeLessThanOrEqual(weights[centre + k - 1]);
    }
  }
});

test.each<[WindowOptions, readonly [number, number][]]>([
  [
    { type: 'hann', width: 0.5 },
    [
      [0, 1],
      [0.25, 0.5],
      [0.5, 0],
      [0.75, 0],
    ],
  ],
  [
    { type: 'tukey', width: 0.75, taper: 1 / 3 },
    [
      [0.5, 1],
      [0.625, 0.5],
      [0.75, 0],
      [1, 0],
    ],
  ],
  [
    { type: 'gaussian', width: 0.5 },
    [
      [0, 1],
      [0.5, 0.5],
      [1, 1 / 16],
    ],
  ],
  [
    { type: 'fermi', width: 0.5, taper: 0.125 },
    [
      [0.5, 0.5],
      [0.625, 1 / (1 + Math.E)],
    ],
  ],
])('%j has the values of its formula', (options, values) => {
  const weights = windowWeights(options, 64); // the edge, at distance 1, is sample 0
  for (const [distance, value] of values) expect(weights[32 - 32 * distance]).toBeCloseTo(value, 6);
});

test('none is 1 everywhere', () => expect([...windowWeights(undefined, 3)]).toEqual([1, 1, 1]));

test.each([
  { type: 'box' },
  { type: 'hann', width: 0 },
  { type: 'hann', width: Number.NaN },
  { type: 'hann', taper: 0.5 },
  { type: 'tukey', taper: 1.5 },
  { type: 'fermi', taper: 0 },
])('refuses %j', (options) => {
  expect(() => windowWeights(options as WindowOptions, 8)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
});
