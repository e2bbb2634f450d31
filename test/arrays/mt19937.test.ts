// Expected numbers are NumPy 1.x RandomState's: random_sample(3), six randint, randn(3), permutation(9), then the 2001st sample.
import { describe, expect, test } from 'vitest';
import { MT19937, type Seed, seedFromName } from '#larmor/arrays/mt19937.js';

interface Case {
  seed: Seed;
  uniform: number[];
  integers: number[];
  normal: number[];
  permutation: number[];
  late: number;
}

const cases: Case[] = [
  {
    seed: 0,
    uniform: [0.5488135039273248, 0.7151893663724195, 0.6027633760716439],
    integers: [3, 0, 354, 1819583497, 3, 1650906866],
    normal: [0.9500884175255894, -0.1513572082976979, -0.10321885179355784],
    permutation: [5, 2, 3, 4, 1, 0, 8, 7, 6],
    late: 0.8115184706218832,
  },
  {
    seed: 4294967295,
    uniform: [0.0976320289940138, 0.9123828453026218, 0.78903530185164],
    integers: [6, 0, 501, 77050329, 0, 627568395],
    normal: [-0.8751756260760788, 0.5298336495168448, 1.0541589291758977],
    permutation: [2, 8, 3, 0, 4, 6, 7, 1, 5],
    late: 0.21915403317436943,
  },
  {
    seed: seedFromName('file1000000.h5'),
    uniform: [0.9984360875618656, 0.4931210810642155, 0.6354755401732134],
    integers: [6, 0, 584, 489097423, 3, 2020251544],
    normal: [-0.35372285236023465, 0.5796536293929171, -0.03295197695807647],
    permutation: [3, 8, 2, 0, 1, 5, 7, 4, 6],
    late: 0.3854849106113417,
  },
  {
    seed: Array.from({ length: 700 }, (_, i) => i),
    uniform: [0.867898393018711, 0.9148838731573538, 0.42691324373540374],
    integers: [1, 0, 402, 3110454902, 2, 314846505],
    normal: [0.731789429837989, 1.8579404456395214, -0.4482496731609453],
    permutation: [6, 8, 0, 4, 3, 2, 1, 5, 7],
    late: 0.05959174995679728,
  },
];

const RANGES = [
  [0, 7],
  [0, 1],
  [-5, 1000],
  [0, 2 ** 32],
  [0, 4],
  [0, 2 ** 31 + 5],
] as const;

describe.each(cases)('seed %#', ({ seed, uniform, integers, normal, permutation, late }) => {
  test('draws what NumPy draws', () => {
    const random = new MT19937(seed);
    expect(uniform.map(() => random.uniform())).toEqual(uniform);
    expect(RANGES.map(([low, high]) => random.integer(low, high))).toEqual(integers);
    for (const value of normal) expect(random.normal()).toBeCloseTo(value, 14);
    // randn draws pairs; RandomState.permutation ignores the spare one.
    expect(Array.from(random.permutation(9))).toEqual(permutation);
  });

  test('stays equal past a refill of its state', () => {
    const random = new MT19937(seed);
    for (let i = 0; i < 2000; ++i) random.uniform();
    expect(random.uniform()).toBe(late);
  });
});

test.each([[-1], [1.5], [2 ** 32], [Number.NaN], [[]], [[1, -2]]])('rejects the seed %s', (seed) => {
  expect(() => new MT19937(seed)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
});

test('rejects an empty range', () => {
  expect(() => new MT19937(1).integer(3, 3)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
});
