// Slices to train on: from anatomies, volumes and scans.
import { rm, truncate } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { complexZeros } from '#larmor/arrays/complex-array.js';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { Dataset } from '#larmor/training/dataset.js';
import { mixedSource, phantomSource, scanSource, volumeSource } from '#larmor/training/sources.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { describeShared, shared } from '../support/shared.js';

const file = temporaryFolder();
const scanner = { size: 32, coils: 2, snr: [50, 100], seed: 1 } as const;

const energy = (data: Float32Array): number => data.reduce((sum, x) => sum + x * x, 0);

test('anatomies: slices of a subject differ, the same index gives the same slice', async () => {
  const source = phantomSource({ families: ['limb', 'head'], subjects: 2, slices: 2, ...scanner });
  expect(source.length).toBe(4);
  const slices = await Promise.all([0, 1, 2, 3, 1].map((index) => source.read(index)));
  for (const { data, shape } of slices) {
    expect(shape).toEqual([2, 32, 32]);
    expect(energy(data)).toBeGreaterThan(0);
  }
  expect(slices[4]).toEqual(slices[1]);
  expect(new Set(slices.map(({ data }) => data[1024])).size).toBe(4);
});

async function writeScan(name: string, coils: number, columns: number): Promise<string> {
  await using scan = await ScanWriter.create(file(name), { slices: 2, coils, matrix: [8, columns] });
  for (const slice of [0, 1]) {
    const kspace = complexZeros([coils, 8, columns]);
    kspace.data.fill(slice + coils);
    await scan.writeKspace(slice, kspace);
  }
  await scan.commit();
  return file(name);
}

test('scans: every slice of every file, also of different sizes', async () => {
  const source = await scanSource([await writeScan('a.h5', 3, 10), await writeScan('b.h5', 2, 12)]);
  expect(source.length).toBe(4);
  expect([1, 2].map((i) => source.shape(i))).toEqual([
    [3, 8, 10],
    [2, 8, 12],
  ]);
  const { data, shape } = await source.read(3);
  expect(shape).toEqual([2, 8, 12]);
  expect(data[0]).toBe(3);
});

test('scans: some slices of each, and the one that holds nothing by its name', async () => {
  const path = await writeScan('e.h5', 2, 16);
  const source = await scanSource([{ path, slices: [1, 5] }]);
  expect(source.length).toBe(1);
  expect((await source.read(0)).data[0]).toBe(3);
  await expect(scanSource([{ path, slices: [2, 5] }])).rejects.toMatchObject({ code: 'ERR_CONFIG' });
  const empty = { ...source, read: async () => complexZeros([2, 8, 16]) };
  const sampling = { type: 'random', acceleration: 2, centerFraction: 0.5, fixed: true, seed: 1 } as const;
  await expect(Dataset.prepare(empty, { sampling, input: 'sense' })).rejects.toMatchObject({
    code: 'ERR_CALIBRATION',
    message: expect.stringMatching(/^slice 1 of .*e\.h5: /),
  });
});

test('scans: files that are missing, vanish, are cut short or replaced are named', async () => {
  await expect(scanSource([])).rejects.toMatchObject({ code: 'ERR_CONFIG' });
  await expect(scanSource([file('none.h5')])).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
  const path = await writeScan('c.h5', 3, 10);
  const source = await scanSource([path]);
  await truncate(path, 2000);
  await expect(source.read(1)).rejects.toMatchObject({
    code: 'ERR_FILE_FORMAT',
    message: expect.stringMatching(/c\.h5/),
  });
  await writeScan('c.h5', 2, 10);
  await expect(source.read(1)).rejects.toMatchObject({
    code: 'ERR_FILE_FORMAT',
    message: expect.stringMatching(/c\.h5 has changed since training began: it held slices of \[3,8,10\]/),
  });
  await rm(path);
  await expect(source.read(1)).rejects.toMatchObject({
    code: 'ERR_FILE_NOT_FOUND',
    message: expect.stringMatching(/c\.h5/),
  });
});

test('mixed: the slices of one source after those of the other', async () => {
  const sources = [['limb'], ['head']].map((families) =>
    phantomSource({ families: families as ['limb' | 'head'], subjects: 2, slices: 1, ...scanner }),
  );
  const mixed = mixedSource(sources);
  expect(mixed.length).toBe(4);
  expect(await mixed.read(1)).toEqual(await sources[0].read(1));
  expect(await mixed.read(2)).toEqual(await sources[1].read(0));
  const other = phantomSource({ families: ['limb'], subjects: 1, slices: 1, ...scanner, coils: 3 });
  const unequal = mixedSource([sources[0], other]);
  expect([1, 2].map((i) => unequal.shape(i))).toEqual([
    [2, 32, 32],
    [3, 32, 32],
  ]);
});

describeShared('magnitude volumes', () => {
  const path = shared('data/mag_neck_t2star_axial.nii.gz');

  test('each slice as it is and varied', async () => {
    const source = await volumeSource({ volumes: [{ path, slices: [2, 4] }], variants: 2, ...scanner });
    expect(source.length).toBe(4);
    expect(source.shape(3)).toEqual([2, 32, 32]);
    const [plain, varied, again] = await Promise.all([0, 2, 0].map((index) => source.read(index)));
    expect(again).toEqual(plain);
    expect(varied.data).not.toEqual(plain.data);
  });

  test('slices beyond the volume', async () => {
    await expect(
      volumeSource({ volumes: [{ path, slices: [2, 400] }], variants: 1, ...scanner }),
    ).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringMatching(/slices must lie within/),
    });
  });
});
