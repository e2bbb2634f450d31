import { expect, test } from 'vitest';
import { scaled } from '#larmor/arrays/scaled.js';
import { sameBits } from '../support/bits.js';

test('multiplies every value, across pieces', async () => {
  const data = Float32Array.from({ length: 2 ** 19 + 3 }, (_, i) => i % 1000);
  const half = data.map((value) => value / 2); // exact
  expect(sameBits(await scaled(data, 0.5), half)).toBe(true);
  expect(await scaled(new Float32Array(), 2)).toEqual(new Float32Array());
});

test('leaves the event loop running', async () => {
  let turns = 0;
  const counter = setInterval(() => {
    turns += 1;
  }, 0);
  await scaled(new Float32Array(2 ** 22), 2);
  clearInterval(counter);
  expect(turns).toBeGreaterThan(0);
});
