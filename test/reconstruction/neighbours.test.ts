import { beforeAll, describe, expect, test } from 'vitest';
import { openScan } from '#larmor/io/scan.js';
import { estimateMemory } from '#larmor/reconstruction/memory.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { createMask } from '#larmor/sampling/mask.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { writeSyntheticScan } from '../support/scans.js';

const file = temporaryFolder();
const full = file('full.h5');
const undersampled = file('undersampled.h5');
const size = 64;
const draw = { type: 'equispaced', acceleration: 2, centerFraction: 0.25, seed: 1 } as const;

beforeAll(async () => {
  const { data, shape } = createMask({ ...draw, columns: size });
  await writeSyntheticScan(full, { slices: 2, coils: 6, size, noise: 1e-3 });
  await writeSyntheticScan(undersampled, { slices: 2, coils: 6, size, noise: 1e-3, mask: { data, shape } });
});

describe.each(['grappa', 'spirit'])('method %s', (method) => {
  test('fills what the aliased image lacks', async () => {
    const aliased = await reconstruct(full, { method: 'zero-filled', undersample: draw });
    const { metrics, image, slices } = await reconstruct(full, { method, undersample: draw });
    expect(image.shape).toEqual([2, size, size]);
    expect(slices.map(({ warnings }) => warnings)).toEqual([[], []]);
    if (method === 'spirit') expect(slices[0].solver).toMatchObject({ stop: 'tolerance' });
    // Noiseless but for 1e-3, and the coils of the phantom are smooth: what remains is the noise that the weights spread.
    expect(metrics!.nmse).toBeLessThan(aliased.metrics!.nmse / 30);
  });

  test('gives the same image from a scan that was undersampled on disk, for any number of threads', async () => {
    const drawn = await reconstruct(full, { method, undersample: draw, threads: 1 });
    const stored = await reconstruct(undersampled, { method, threads: 3, parallelism: 2 });
    expect(stored.image).toEqual(drawn.image);
  });

  test('counts the memory that a large kernel calibrates with', async () => {
    await using scan = await openScan(full);
    const [small, large] = await Promise.all(
      [5, 16].map((kernel) => estimateMemory(scan, { method, undersample: draw, kernel })),
    );
    // Complex numbers in double for every pair of the 16 x 16 entries in 6 coils.
    expect(large.perSlice - small.perSlice).toBeGreaterThan(0.9 * 16 * (6 * 256) ** 2);
  });

  test('takes a kernel, and refuses what it does not take', async () => {
    const plain = await reconstruct(full, { method, undersample: draw });
    const same = await reconstruct(full, { method, undersample: draw, kernel: [5, 5] });
    const other = await reconstruct(full, { method, undersample: draw, kernel: [4, 7] });
    expect(same.image).toEqual(plain.image);
    expect(other.image).not.toEqual(plain.image);
    await expect(reconstruct(full, { method, kernel: 40 })).rejects.toThrow('kernel must be an integer');
    await expect(reconstruct(full, { method: 'cg-sense', kernel: 5 })).rejects.toThrow('takes no kernel');
    await expect(reconstruct(full, { method: 'grappa', iterations: 3 })).rejects.toThrow('takes no iterations');
  });

  test('says so where there is no centre to calibrate on', async () => {
    const undersample = { ...draw, centerFraction: 0.03 };
    await expect(reconstruct(full, { method, undersample })).rejects.toMatchObject({
      code: 'ERR_CALIBRATION',
    });
  });
});
