import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createMask, expectMask, type MaskOptions, type MaskType, sampledCount } from '#larmor/sampling/mask.js';
import { describeShared, shared } from '../support/shared.js';

interface Fixture {
  type: string;
  acceleration?: number;
  accelerations?: number[];
  center_fraction?: number;
  center_fractions?: number[];
  columns: number;
  filename?: string;
  seed?: number;
  num_low_frequencies: number;
  lines: number[];
}

const TYPES: Record<string, MaskType> = {
  RandomMaskFunc: 'random',
  EquiSpacedMaskFunc: 'equispaced',
  EquispacedMaskFractionFunc: 'equispaced_fraction',
  MagicMaskFunc: 'magic',
  MagicMaskFractionFunc: 'magic_fraction',
};

describeShared('createMask against fastMRI', () => {
  const fixtures: Fixture[] = JSON.parse(readFileSync(shared('fixtures/fastmri_masks.json'), 'utf8'));
  test.each(Object.keys(TYPES))('%s draws the same lines', (type) => {
    const cases = fixtures.filter((fixture) => fixture.type === type);
    expect(cases.length).toBeGreaterThan(50);
    for (const fixture of cases) {
      const mask = createMask({
        type: TYPES[type],
        columns: fixture.columns,
        acceleration: fixture.accelerations ?? fixture.acceleration!,
        centerFraction: fixture.center_fractions ?? fixture.center_fraction!,
        seed: fixture.seed,
        filename: fixture.filename,
      });
      const lines = Array.from(mask.data.keys()).filter((i) => mask.data[i] === 1);
      expect(lines, JSON.stringify(fixture)).toEqual(fixture.lines);
      expect(mask.lowFrequencies).toBe(fixture.num_low_frequencies);
    }
  });
});

const plain: MaskOptions = { type: 'random', columns: 64, acceleration: 4, centerFraction: 0.1, seed: 1 };

test('a path seeds like its base name', () => {
  const { seed: _, ...unseeded } = plain;
  const named = createMask({ ...unseeded, filename: 'file1.h5' });
  expect(createMask({ ...unseeded, filename: '/data/knee/file1.h5' }).data).toEqual(named.data);
});

test('acceleration 1 samples everything', () => {
  expect(sampledCount(createMask({ ...plain, acceleration: 1 }))).toBe(64);
});

describe('createMask rejects', () => {
  test.each<[string, Partial<Record<keyof MaskOptions, unknown>>]>([
    ['an unknown type', { type: 'spiral' }],
    ['no columns', { columns: 0 }],
    ['fractional columns', { columns: 3.5 }],
    ['acceleration below 1', { acceleration: 0.5 }],
    ['acceleration that is not a number', { acceleration: Number.NaN }],
    ['a fractional step', { type: 'equispaced', acceleration: 2.5 }],
    ['a centre over 1', { centerFraction: 1.2 }],
    ['lists of different lengths', { acceleration: [4, 8] }],
    ['an empty list', { acceleration: [], centerFraction: [] }],
    ['a centre that uses up the budget', { type: 'equispaced_fraction', centerFraction: 0.3 }],
    ['a seed besides a file name', { filename: 'a.h5' }],
    ['neither seed nor file name', { seed: undefined }],
  ])('%s', (_, change) => {
    expect(() => createMask({ ...plain, ...change } as MaskOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT' }),
    );
  });

  test('a draw of nothing', () => {
    expect(() => createMask({ ...plain, columns: 4, acceleration: 1e9, centerFraction: 0 })).toThrow(
      expect.objectContaining({ code: 'ERR_MASK' }),
    );
  });
});

test.each([
  [Uint8Array.of(1, 0, 1), [3]],
  [Uint8Array.of(1, 0, 2, 1), [4]],
  [new Uint8Array(4), [4]],
  [new Uint8Array(8).fill(1), [2, 4]],
] as const)('expectMask rejects %s of shape %s for 3 x 4', (data, shape) => {
  expect(() => expectMask('test', { data, shape: shape as never }, 3, 4)).toThrow(
    expect.objectContaining({ code: 'ERR_MASK' }),
  );
});
