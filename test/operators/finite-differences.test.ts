import { expect, test } from 'vitest';
import { FiniteDifferences } from '#larmor/operators/finite-differences.js';

test('takes the pixel above and the one on the left, around the edges', async () => {
  const image = { data: Float32Array.from([1, 10, 2, 20, 4, 40, 8, 80, 16, 160, 32, 320]), shape: [2, 3] };
  const { data, shape } = await new FiniteDifferences([2, 3]).apply(image);
  expect(shape).toEqual([2, 2, 3]);
  const real = [1 - 8, 2 - 16, 4 - 32, 8 - 1, 16 - 2, 32 - 4, 1 - 4, 2 - 1, 4 - 2, 8 - 32, 16 - 8, 32 - 16];
  expect(Array.from(data)).toEqual(real.flatMap((value) => [value, 10 * value]));
});

test('a constant has no differences, alternating pixels the largest', async () => {
  const D = new FiniteDifferences([1, 4, 6]);
  const flat = { data: new Float32Array(48).fill(3), shape: [1, 4, 6] };
  expect((await D.apply(flat)).data.every((value) => value === 0)).toBe(true);
  const board = {
    data: flat.data.map((_, i) => (((i >> 1) % 6) % 2 === Math.floor(i / 12) % 2 ? 1 : -1)),
    shape: [1, 4, 6],
  };
  expect((await D.normal(board)).data).toEqual(board.data.map((value) => 8 * value));
});

test('refuses shapes without two axes', () => {
  for (const shape of [[5], [0, 4], [3, 2.5]]) expect(() => new FiniteDifferences(shape)).toThrow(/shape must be/);
});
