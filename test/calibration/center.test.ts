import { expect, test } from 'vitest';
import { sampledCenter } from '#larmor/calibration/center.js';
import { createMask } from '#larmor/sampling/mask.js';

const lines = (bits: string) => ({ data: Uint8Array.from(bits, Number), shape: [bits.length] as const });

test('measures the run of sampled columns around the centre, as much to one side as to the other', () => {
  expect(sampledCenter(lines('10111100'), 320)).toEqual({ rows: 320, columns: 4 });
  expect(sampledCenter(lines('1111111'), 5)).toEqual({ rows: 5, columns: 7 });
  expect(sampledCenter(lines('0001110'), 1).columns).toBe(1);
  expect(sampledCenter(lines('0011100'), 1).columns).toBe(3);
  expect(sampledCenter(lines('11110111'), 9)).toEqual({ rows: 0, columns: 0 });
});

test('finds at least the dense centre of a drawn mask', () => {
  for (const columns of [128, 256, 320, 368]) {
    const mask = createMask({ type: 'random', columns, acceleration: 4, centerFraction: 0.08, seed: columns });
    const { columns: found } = sampledCenter(mask, 64);
    expect(found).toBeGreaterThanOrEqual(mask.lowFrequencies - 1);
    expect(found).toBeLessThan(columns / 2);
  }
});

test('finds the block of a mask over points', () => {
  const [ny, nx] = [9, 12];
  const data = new Uint8Array(ny * nx);
  for (let y = 3; y < 6; y += 1) for (let x = 4; x < 9; x += 1) data[y * nx + x] = 1;
  expect(sampledCenter({ data, shape: [ny, nx] }, ny)).toEqual({ rows: 3, columns: 5 });
});
