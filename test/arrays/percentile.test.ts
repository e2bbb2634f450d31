import { expect, test } from 'vitest';
import { percentile } from '#larmor/arrays/percentile.js';

// Closed form: sort, then interpolate between neighbours.
const bySorting = (values: Float32Array, q: number): number => {
  const sorted = Array.from(values).sort((a, b) => a - b);
  const position = (q / 100) * (sorted.length - 1);
  const below = Math.floor(position);
  return sorted[below] + (position - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
};

test.each([1, 2, 3, 10, 101, 1000])('agrees with sorting for %i values', (n) => {
  let state = n;
  const values = Float32Array.from({ length: n }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state % 97; // many ties
  });
  for (const q of [0, 5, 33.3, 50, 95, 99.9, 100]) expect(percentile(values, q)).toBeCloseTo(bySorting(values, q), 6);
});

test('leaves its argument alone and refuses nonsense', () => {
  const values = Float32Array.of(3, 1, 2);
  expect(percentile(values, 95)).toBeCloseTo(2.9, 6); // numpy.percentile([3, 1, 2], 95)
  expect([...values]).toEqual([3, 1, 2]);
  expect(() => percentile(new Float32Array(0), 50)).toThrow('at least one value');
  expect(() => percentile(values, 101)).toThrow('q in 0..100');
});
