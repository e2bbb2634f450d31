import { expect, test } from 'vitest';
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';
import { dataScale } from '#larmor/solvers/data-scale.js';
import { BART_FIXTURES, bartFixture } from '../support/bart.js';
import { noise } from '../support/complex.js';
import { lineMask } from '../support/masks.js';
import { describeShared } from '../support/shared.js';

describeShared('dataScale against BART', () => {
  /** As `bart pics -d5` prints it, to six decimals. */
  const PRINTED = { bart_brain_gre_16ch_r3: 0.172446, bart_brain_pd_8ch_r4: 0.014681 };

  test.each(BART_FIXTURES)('%s', async (name) => {
    const { kspace, mask } = await bartFixture(name);
    expect(Math.abs((await dataScale(kspace, mask)) - PRINTED[name])).toBeLessThan(1e-6);
  });
});

/** One coil, constant k-space: the image of any centred block of it is a delta. */
const delta = (ny: number, nx: number): ComplexArray => ({
  data: Float32Array.from({ length: 2 * ny * nx }, (_, i) => (i % 2 === 0 ? 1 : 0)),
  shape: [1, ny, nx],
});
const full = (n: number): SamplingMask => ({ data: new Uint8Array(n).fill(1), shape: [n] });

test('a small object counts by its maximum, in units of the full image', async () => {
  // The block of 32 x 32 ones has a delta of sqrt(32 * 32) as its image, of which a share of 32 / 64 per axis is left at full size.
  expect(await dataScale(delta(64, 64), full(64))).toBeCloseTo(32 * 0.5, 4);
});

test('without a sampled centre the image of all samples counts', async () => {
  const kspace = delta(16, 16);
  const mask: SamplingMask = { data: Uint8Array.from({ length: 16 }, (_, x) => (x === 2 ? 1 : 0)), shape: [16] };
  for (let i = 0; i < kspace.data.length; i += 1) if ((i >> 1) % 16 !== 2) kspace.data[i] = 0;
  // One column of ones: a row of magnitude 16 / 16, the rest 0.
  expect(await dataScale(kspace, mask)).toBeCloseTo(1, 5);
});

test('scales with the data and does not depend on threads', async () => {
  const kspace = noise([3, 40, 36], 3);
  const mask = full(36);
  const scale = await dataScale(kspace, mask, { threads: 1 });
  expect(await dataScale(kspace, mask, { threads: 3 })).toBe(scale);
  const doubled = { data: kspace.data.map((value) => 2 * value), shape: kspace.shape };
  expect(await dataScale(doubled, mask)).toBe(2 * scale);
});

test('refuses zeros, NaN and shapes that do not fit', async () => {
  const zeros = { data: new Float32Array(2 * 64), shape: [1, 8, 8] };
  await expect(dataScale(zeros, full(8))).rejects.toMatchObject({ code: 'ERR_CALIBRATION' });
  const bad = noise([1, 8, 8], 1);
  bad.data[3] = Number.NaN;
  await expect(dataScale(bad, full(8))).rejects.toMatchObject({ code: 'ERR_NOT_FINITE' });
  await expect(dataScale(noise([8, 8], 1), full(8))).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  await expect(dataScale(noise([1, 8, 8], 1), lineMask(7))).rejects.toMatchObject({ code: 'ERR_MASK' });
});
