import { describe, expect, test } from 'vitest';
import { complexZeros } from '#larmor/arrays/complex-array.js';
import { createMask, type SamplingMask, sampledCount } from '#larmor/sampling/mask.js';
import { createPointMask } from '#larmor/sampling/point-mask.js';
import { type SplitKind, type SplitOptions, splitMask, strongestSample } from '#larmor/sampling/splits.js';

const rows = 96;
const columns = 80;
const lines = createMask({ type: 'random', columns, acceleration: 4, centerFraction: 0.1, seed: 5 });
const points = createPointMask({ shape: [rows, columns], acceleration: 4, center: 10, seed: 5 });
const samples = sampledCount(lines) * rows;

const at = (mask: SamplingMask, y: number, x: number): number =>
  mask.data[mask.shape.length === 1 ? x : y * columns + x];

function expectPartition(mask: SamplingMask, options: SplitOptions): ReturnType<typeof splitMask> {
  const { train, heldOut } = splitMask(mask, options);
  for (let y = 0; y < rows; ++y)
    for (let x = 0; x < columns; ++x)
      if (at(train, y, x) + at(heldOut, y, x) !== at(mask, y, x)) expect.fail(`not a partition at ${y}, ${x}`);
  return { train, heldOut };
}

describe.each<[string, SamplingMask, SplitKind]>([
  ['points of lines', lines, 'points'],
  ['points of points', points, 'points'],
  ['whole lines', lines, 'lines'],
])('%s', (_, mask, kind) => {
  const options = { kind, rows, columns, fraction: 0.3, seed: 11 };

  test('is disjoint with the mask as its union', () => {
    expectPartition(mask, options);
  });

  test('is the same for the same seed and another for another', () => {
    const { heldOut } = splitMask(mask, options);
    expect(splitMask(mask, options).heldOut.data).toEqual(heldOut.data);
    expect(splitMask(mask, { ...options, seed: 12 }).heldOut.data).not.toEqual(heldOut.data);
  });

  test('never holds out the protected centre', () => {
    for (let seed = 0; seed < 20; ++seed) {
      const { heldOut } = splitMask(mask, { ...options, seed, protectedCenter: 6, center: [50, 41] });
      const checked = kind === 'lines' ? 1 : 6;
      for (let y = 47; y < 47 + checked; ++y) for (let x = 38; x < 44; ++x) expect(at(heldOut, y, x)).toBe(0);
    }
  });
});

describe('how many are held out', () => {
  const count = (kind: SplitKind, fraction: number, more: Partial<SplitOptions> = {}): number =>
    sampledCount(splitMask(lines, { kind, rows, columns, fraction, seed: 3, ...more }).heldOut);

  test('points: the floor of the share, fewer with replacement', () => {
    expect(count('points', 0.05)).toBe(Math.floor(samples * 0.05));
    // Share of distinct samples among n draws of n * 20: 1 - exp(-0.05); 5 standard deviations of about 8 repeats.
    const distinct = count('points', 0.05, { replacement: true });
    expect(Math.abs(distinct - samples * (1 - Math.exp(-0.05)))).toBeLessThan(15);
    expect(distinct).toBeLessThan(Math.floor(samples * 0.05));
  });

  test('lines: the share of the unprotected lines', () => {
    expect(count('lines', 0.25)).toBe(Math.round((sampledCount(lines) - 4) * 0.25));
  });
});

describe('splitMask rejects', () => {
  test.each<[string, SamplingMask, Partial<Record<keyof SplitOptions, unknown>>, string]>([
    ['fraction 0', lines, { fraction: 0 }, 'ERR_ARGUMENT'],
    ['fraction 1', lines, { fraction: 1 }, 'ERR_ARGUMENT'],
    ['a fraction too small for one sample', lines, { fraction: 1e-6 }, 'ERR_ARGUMENT'],
    ['an unknown kind', lines, { kind: 'rings' }, 'ERR_ARGUMENT'],
    ['lines of a point mask', points, { kind: 'lines' }, 'ERR_ARGUMENT'],
    ['a protected centre that leaves nothing', lines, { kind: 'lines', protectedCenter: 200 }, 'ERR_ARGUMENT'],
    ['a mask of other size', lines, { columns: 81 }, 'ERR_MASK'],
    ['an empty mask', { data: new Uint8Array(columns), shape: [columns] }, {}, 'ERR_MASK'],
  ])('%s', (_, mask, change, code) => {
    const options = { kind: 'points', rows, columns, fraction: 0.1, seed: 1, ...change } as SplitOptions;
    expect(() => splitMask(mask, options)).toThrow(expect.objectContaining({ code }));
  });
});

test('strongestSample finds the sample with the most energy over all coils', () => {
  const kspace = complexZeros([2, 5, 7]);
  kspace.data[2 * (3 * 7 + 2)] = 3;
  kspace.data[2 * (1 * 7 + 6) + 1] = -2.5;
  kspace.data[2 * (35 + 1 * 7 + 6)] = 2.5;
  expect(strongestSample(kspace)).toEqual([1, 6]);
});
