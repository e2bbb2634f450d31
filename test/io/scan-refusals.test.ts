// Files that are no scans, or broken ones: each is refused with a coded error.
import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openScan } from '#larmor/io/scan.js';
import { kspaceDataset, type TestDataset, temporaryFolder, writeH5pyFile, writeHdf5 } from '../support/hdf5-files.js';

const file = temporaryFolder();

const ones = kspaceDataset([1, 2, 4, 6]);
test.each<[string, Record<string, TestDataset>, string, RegExp]>([
  [
    'no dataset kspace',
    { image: kspaceDataset([1, 2]) },
    'ERR_FILE_FORMAT',
    /no dataset "kspace"; its datasets: image/,
  ],
  ['real k-space', { kspace: { shape: [1, 2, 4], data: new Float32Array(8) } }, 'ERR_FILE_FORMAT', /must be complex/],
  ['k-space of rank 2', { kspace: kspaceDataset([4, 6]) }, 'ERR_FILE_FORMAT', /its shape is \[4,6\]/],
  ['k-space of rank 6', { kspace: kspaceDataset([1, 1, 1, 1, 4, 6]) }, 'ERR_FILE_FORMAT', /its shape is/],
  ['two volumes', { kspace: kspaceDataset([2, 1, 3, 4, 6]) }, 'ERR_FILE_FORMAT', /of one volume/],
  ['k-space with an empty axis', { kspace: kspaceDataset([0, 2, 4, 6]) }, 'ERR_FILE_FORMAT', /is empty/],
  [
    'NaN in k-space',
    { kspace: kspaceDataset([1, 2, 4, 6], (i) => (i === 9 ? Number.NaN : 1)) },
    'ERR_NOT_FINITE',
    /NaN/,
  ],
  ['k-space of zeros', { kspace: kspaceDataset([1, 2, 4, 6], () => 0) }, 'ERR_MASK', /zero throughout/],
  ['a mask of zeros', { kspace: ones, mask: { shape: [6], data: new Uint8Array(6) } }, 'ERR_MASK', /samples nothing/],
  ['a mask of another length', { kspace: ones, mask: { shape: [5], data: new Uint8Array(5) } }, 'ERR_MASK', /\[5\]/],
  [
    'a mask larger than k-space',
    { kspace: ones, mask: { shape: [25], data: new Uint8Array(25) } },
    'ERR_MASK',
    /larger/,
  ],
  [
    'a mask of twos',
    { kspace: ones, mask: { shape: [6], data: Uint8Array.of(2, 0, 1, 1, 1, 1) } },
    'ERR_MASK',
    /holds 2/,
  ],
  ['a text mask', { kspace: ones, mask: { shape: [], data: 'x' } }, 'ERR_FILE_FORMAT', /holds text/],
  [
    'a reference with another number of slices',
    { kspace: ones, reconstruction_rss: { shape: [2, 4, 4], data: new Float32Array(32) } },
    'ERR_FILE_FORMAT',
    /reconstruction_rss must be real with shape \[1,y,x\]/,
  ],
  [
    'a header that is not XML',
    { kspace: ones, ismrmrd_header: { shape: [], data: '<a><b></a>' } },
    'ERR_FILE_FORMAT',
    /XML/,
  ],
  [
    'a header of another kind',
    { kspace: ones, ismrmrd_header: { shape: [], data: '<a/>' } },
    'ERR_FILE_FORMAT',
    /ismrmrdHeader/,
  ],
  [
    'a numeric header',
    { kspace: ones, ismrmrd_header: { shape: [1], data: Int32Array.of(1) } },
    'ERR_FILE_FORMAT',
    /one text/,
  ],
  [
    'a header beyond its size limit',
    { kspace: ones, ismrmrd_header: { shape: [], data: 'x'.repeat(2 ** 20 + 1) } },
    'ERR_FILE_FORMAT',
    /longer than the limit/,
  ],
  [
    'a header nested without end',
    { kspace: ones, ismrmrd_header: { shape: [], data: '<a>'.repeat(20_000) } },
    'ERR_FILE_FORMAT',
    /XML/,
  ],
])('%s', async (_, datasets, code, message) => {
  const opening = openScan(await writeHdf5(file('bad.h5'), datasets)).then(async (scan) => {
    await using open = scan;
    await open.readKspace(0);
  });
  await expect(opening).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('a header with an entity bomb is not expanded', async () => {
  const bomb =
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>' +
    '<ismrmrdHeader><acquisitionSystemInformation><systemVendor>&c;</systemVendor></acquisitionSystemInformation></ismrmrdHeader>';
  const path = await writeHdf5(file('bomb.h5'), { kspace: ones, ismrmrd_header: { shape: [], data: bomb } });
  await openScan(path)
    .then(async (scan) => {
      await using open = scan;
      expect(open.header?.system ?? '').not.toContain('aaaa');
    })
    .catch((error: unknown) => expect(error).toMatchObject({ code: 'ERR_FILE_FORMAT' }));
});

test('shapes beyond any memory are refused before anything is read', async () => {
  // The shape in the dataspace message of the file, 8 bytes a dimension, is made absurd.
  const path = await writeHdf5(file('absurd.h5'), { kspace: kspaceDataset([1, 7, 11, 13]) });
  const bytes = readFileSync(path);
  const dimension = (n: number): Buffer => Buffer.from([n, 0, 0, 0, 0, 0, 0, 0]);
  const shape = Buffer.concat([1, 7, 11, 13].map(dimension));
  const absurd = Buffer.concat([1, 7, 11, 13].map(dimension));
  absurd.writeUInt32LE(200_000, 8);
  absurd.writeUInt32LE(200_000, 16);
  for (let at = bytes.indexOf(shape); at >= 0; at = bytes.indexOf(shape, at + 1)) absurd.copy(bytes, at);
  writeFileSync(path, bytes);
  await expect(openScan(path)).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
});

test('every truncation of a file is refused with a coded error', async () => {
  const path = writeH5pyFile(file('cut.h5'));
  for (let bytes = 11_000; bytes >= 0; bytes -= 1100) {
    truncateSync(path, bytes);
    await expect(openScan(path)).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
  }
});

test('a corrupt block is refused when it is read', async () => {
  const path = await writeHdf5(file('corrupt.h5'), { kspace: kspaceDataset([1, 2, 4, 6]) });
  const bytes = readFileSync(path);
  for (let at = 200; at < bytes.length; at += 16) bytes[at] ^= 0xff;
  writeFileSync(path, bytes);
  await expect(openScan(path)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) });
});

test('other kinds of files, a pipe, a device, a folder and a missing file', async () => {
  writeFileSync(file('text.h5'), 'not HDF5 at all'.repeat(100));
  await expect(openScan(file('text.h5'))).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
  execFileSync('mkfifo', [file('pipe')]);
  await expect(openScan(file('pipe'))).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
  await expect(openScan('/dev/zero')).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
  await expect(openScan(file('none.h5'))).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
  await expect(openScan(file('.'))).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
});
