import { expect, test } from 'vitest';
import { firstNonFinite } from '#larmor/arrays/finite.js';

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('finds the first %s', (value) => {
  for (const length of [1, 7, 4096, 10_000])
    for (const index of [0, length >> 1, length - 1]) {
      const data = new Float32Array(length).fill(-3.4e38);
      data.fill(value, index);
      expect(firstNonFinite(data)).toBe(index);
      expect(firstNonFinite(data.subarray(0, index))).toBe(-1);
    }
});

test('denormals, zeros and the largest numbers are finite', () => {
  expect(firstNonFinite(Float32Array.of(0, -0, 1e-45, 3.4028235e38, -3.4028235e38))).toBe(-1);
});
