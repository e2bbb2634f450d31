// Scans picked out of a folder by what they hold.
import { mkdirSync } from 'node:fs';
import { basename } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { complexZeros } from '#larmor/arrays/complex-array.js';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { type ScanSelection, selectScans } from '#larmor/training/scan-selection.js';
import { scanSource } from '#larmor/training/sources.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { ismrmrdHeader, writeIsmrmrd } from '../support/ismrmrd-files.js';

const file = temporaryFolder();
const COILS = 2;

/** A scan whose samples are the number of their slice, counted from 1. */
async function writeScan(name: string, slices: number, columns: number, acquisition: string): Promise<void> {
  const description = { slices, coils: COILS, matrix: [8, columns] as const, acquisition };
  await using scan = await ScanWriter.create(file(`knees/${name}`), description);
  for (let slice = 0; slice < slices; slice += 1) {
    const kspace = complexZeros([COILS, 8, columns]);
    kspace.data.fill(slice + 1);
    await scan.writeKspace(slice, kspace);
  }
  await scan.commit();
}

beforeAll(async () => {
  mkdirSync(file('knees'));
  await writeScan('file3.h5', 4, 10, 'PD');
  await writeScan('file1.h5', 5, 10, 'PD');
  await writeScan('file2.h5', 5, 10, 'PDFS');
  await writeScan('file4.h5', 1, 10, 'PD');
  await writeScan('file5.h5', 5, 12, 'PD');
  await writeScan('other.h5', 5, 10, 'PD');
});

const select = async (rules: Partial<ScanSelection>): Promise<(string | number)[][]> => {
  const scans = await selectScans({ folder: file('knees'), name: 'file*.h5', ...rules });
  return scans.map(({ path, slices }) => [basename(path), ...slices]);
};

test('by acquisition and size, in the order of names, the middle slices of each', async () => {
  expect(await select({ acquisition: 'PD', columns: 10, middle: 2 })).toEqual([
    ['file1.h5', 1, 3],
    ['file3.h5', 1, 3],
    ['file4.h5', 0, 1],
  ]);
  expect(await select({ acquisition: 'PD', columns: 10, skip: 1, files: 1, middle: 1 })).toEqual([['file3.h5', 2, 3]]);
  expect(await select({ coils: COILS, rows: 8, columns: 12 })).toEqual([['file5.h5', 0, 5]]);
});

test('so many at most, fewer where there are fewer', async () => {
  const names = async (rules: Partial<ScanSelection>): Promise<unknown[]> =>
    (await select({ acquisition: 'PD', columns: 10, ...rules })).map(([name]) => name);
  expect(await names({ atMost: 2 })).toEqual(['file1.h5', 'file3.h5']);
  expect(await names({ atMost: 9 })).toEqual(['file1.h5', 'file3.h5', 'file4.h5']);
  expect(await names({ skip: 1, atMost: 1 })).toEqual(['file3.h5']);
});

test('tells scans of other formats apart as well', async () => {
  const line = (slice: number, ky: number) => ({ data: new Float32Array(2 * 8).fill(1), channels: 1, slice, ky });
  const stack = [0, 1, 2].flatMap((slice) => Array.from({ length: 12 }, (_, ky) => line(slice, ky)));
  await writeIsmrmrd(file('stack.h5'), ismrmrdHeader({ encoded: [8, 12, 1] }), stack);
  const scans = await selectScans({ folder: file('.'), coils: 1, columns: 12, middle: 1 });
  expect(scans).toEqual([{ path: file('stack.h5'), slices: [1, 2] }]);
});

test('a source reads just those slices', async () => {
  const scans = await selectScans({
    folder: file('knees'),
    acquisition: 'PD',
    columns: 10,
    name: 'file*.h5',
    middle: 2,
  });
  const middle = await scanSource(scans);
  expect(middle.length).toBe(5);
  const values = await Promise.all([0, 1, 2, 3, 4].map(async (i) => (await middle.read(i)).data[0]));
  expect(values).toEqual([2, 3, 2, 3, 1]);
});

test('tells what is missing and where it can be had', async () => {
  await expect(select({ acquisition: 'PD', columns: 10, files: 9, origin: 'the knee data set' })).rejects.toMatchObject(
    {
      code: 'ERR_FILE_NOT_FOUND',
      message: `${file('knees')}: wants 9 file*.h5 of acquisition PD, 10 columns; 3 of the 5 files of that name fit (the others: 1 of PDFS, 8 x 10, 2 coils; 1 of PD, 8 x 12, 2 coils). They are part of the knee data set`,
    },
  );
  await expect(selectScans({ folder: file('none') })).rejects.toMatchObject({
    code: 'ERR_FILE_NOT_FOUND',
    message: expect.stringMatching(/none: wants at least one \*\.h5; there is no such folder$/),
  });
});
