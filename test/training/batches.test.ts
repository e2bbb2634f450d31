// Which slices make which batch.
import { expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { batchesOf, type Draw, validationBatches } from '#larmor/training/batches.js';

function first(count: number, kinds: readonly string[], size: number, seed = 1): Draw[][] {
  const batches = batchesOf(kinds, size, seed);
  return Array.from({ length: count }, () => [...batches.next().value]);
}

test('slices of one kind follow the order of each epoch, across its end', () => {
  const kinds = new Array<string>(5).fill('a');
  const orders = [0, 1].flatMap((epoch) => [...new MT19937([1, epoch]).permutation(5)]);
  const batches = first(5, kinds, 2);
  expect(batches.flat().map(({ index }) => index)).toEqual(orders);
  expect(batches.flat().map(({ draw }) => draw)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('a batch holds one kind, and every slice comes once an epoch', () => {
  const kinds = ['a', 'b', 'a', 'c', 'b', 'a', 'a', 'b'];
  const batches = first(40, kinds, 2);
  for (const batch of batches) expect(new Set(batch.map(({ index }) => kinds[index])).size).toBe(1);
  const draws = batches.flat();
  expect(new Set(draws.map(({ draw }) => draw)).size).toBe(80);
  // 80 of 8 slices: each ten times, give or take one whose batch is not full or was left over.
  kinds.forEach((_, index) => {
    expect(Math.abs(draws.filter((draw) => draw.index === index).length - 10)).toBeLessThanOrEqual(1);
  });
  expect(first(40, kinds, 2)).toEqual(batches);
  expect(first(40, kinds, 2, 2)).not.toEqual(batches);
});

test('validation sees every slice once; what fills a batch up does not count', () => {
  expect(validationBatches(['a', 'b', 'a', 'a', 'b'], 2)).toEqual([
    { indices: [0, 2], count: 2 },
    { indices: [3, 0], count: 1 },
    { indices: [1, 4], count: 2 },
  ]);
  expect(validationBatches(['a'], 3)).toEqual([{ indices: [0, 0, 0], count: 1 }]);
});
