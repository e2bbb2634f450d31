import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LarmorError } from '#larmor/errors.js';
import { openScan, type Scan } from '#larmor/io/scan.js';
import { kspaceDataset, type TestDataset, temporaryFolder, writeH5pyFile, writeHdf5 } from '../support/hdf5-files.js';
import { describeShared, shared } from '../support/shared.js';

const file = temporaryFolder();

const header = (encoding: string): TestDataset => ({
  shape: [],
  data: `<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><encoding>${encoding}</encoding></ismrmrdHeader>`,
});
const reconMatrix = (x: number, y: number): TestDataset =>
  header(`<reconSpace><matrixSize><x>${x}</x><y>${y}</y><z>1</z></matrixSize></reconSpace>`);

async function withScan<T>(datasets: Record<string, TestDataset>, body: (scan: Scan) => T | Promise<T>): Promise<T> {
  await using scan = await openScan(await writeHdf5(file('scan.h5'), datasets));
  return await body(scan);
}

describe('a file by h5py: big-endian complex128, gzip, boolean mask, both references', () => {
  test('reads every part', async () => {
    await using scan = await openScan(writeH5pyFile(file('h5py.h5')));
    expect(scan).toMatchObject({
      name: 'h5py.h5',
      format: 'fastmri',
      slices: 2,
      coils: 3,
      matrix: [4, 6],
      imageShape: [2, 4],
      acquiredColumns: [1, 6],
      acquisition: 'CORPD_FBK',
      fullySampled: false,
      hasReference: true,
      header: { encodedMatrix: { x: 4, y: 6, z: 1 }, reconMatrix: { x: 2, y: 4, z: 1 } },
      attributes: { acquisition: 'CORPD_FBK', acceleration: 4, flag: true, list: [1, 2] },
    });
    expect(scan.mask).toEqual({ shape: [6], data: Uint8Array.of(0, 1, 1, 0, 1, 1) });
    const kspace = await scan.readKspace(1);
    expect(kspace.shape).toEqual([3, 4, 6]);
    const expected = Float32Array.from({ length: 144 }, (_, i) => {
      const n = 72 + (i >> 1);
      return n % 6 === 0 || n % 6 === 3 ? 0 : n + (i % 2) / 2;
    });
    expect(kspace.data).toEqual(expected);
    const reference = await scan.readReference(1);
    expect(reference).toEqual({ shape: [2, 4], data: Float32Array.of(8, 9, 10, 11, 12, 13, 14, 15) });
  });
});

describe('layout', () => {
  test('a single-coil file is a scan of one coil', () =>
    withScan({ kspace: kspaceDataset([2, 4, 6], (i) => i + 1) }, async (scan) => {
      expect([scan.slices, scan.coils, scan.matrix]).toEqual([2, 1, [4, 6]]);
      const { data, shape } = await scan.readKspace(1);
      expect(shape).toEqual([1, 4, 6]);
      expect(data).toEqual(Float32Array.from({ length: 48 }, (_, i) => 49 + i));
      expect(await scan.readReference(0)).toBeUndefined();
    }));

  test.each([
    ['header', [8, 6], { ismrmrd_header: reconMatrix(4, 4) }, [4, 4]],
    ['header wider than k-space: square of its width', [8, 6], { ismrmrd_header: reconMatrix(8, 8) }, [6, 6]],
    ['nothing', [8, 6], {}, [8, 6]],
    [
      'reference before header',
      [8, 6],
      { ismrmrd_header: reconMatrix(4, 4), reconstruction_rss: { shape: [1, 6, 5], data: new Float32Array(30) } },
      [6, 5],
    ],
  ] as const)('the image is cropped to: %s', (_, matrix, others, imageShape) =>
    withScan({ kspace: kspaceDataset([1, 2, ...matrix]), ...others }, (scan) => {
      expect(scan.imageShape).toEqual(imageShape);
    }),
  );

  test('a reference is cropped at its centre', () =>
    withScan(
      {
        kspace: kspaceDataset([1, 1, 2, 2]),
        reconstruction_rss: { shape: [1, 4, 4], data: Float32Array.from({ length: 16 }, (_, i) => i) },
      },
      async (scan) => {
        expect(await scan.readReference(0)).toEqual({ shape: [2, 2], data: Float32Array.of(5, 6, 9, 10) });
      },
    ));

  test('a slice outside the scan is refused', () =>
    withScan({ kspace: kspaceDataset([2, 1, 4, 4]) }, async (scan) => {
      for (const slice of [-1, 2, 0.5, Number.NaN])
        await expect(scan.readKspace(slice)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }));
});

describe('sampling', () => {
  /** K-space [1, 2, 4, 6] that is zero where `zero(ky, kx)`. */
  const kspaceWithout = (zero: (ky: number, kx: number) => boolean): TestDataset =>
    kspaceDataset([1, 2, 4, 6], (i) => (zero(Math.floor(i / 12) % 4, Math.floor(i / 2) % 6) ? 0 : 1));
  const limits = header(
    '<encodedSpace><matrixSize><x>4</x><y>6</y><z>1</z></matrixSize></encodedSpace>' +
      '<encodingLimits><kspace_encoding_step_1><maximum>3</maximum><center>2</center></kspace_encoding_step_1></encodingLimits>',
  );

  test('no mask and no zero column: fully sampled', () =>
    withScan({ kspace: kspaceDataset([1, 2, 4, 6]) }, (scan) => {
      expect(scan).toMatchObject({ fullySampled: true, mask: undefined, acquiredColumns: [0, 6] });
    }));

  test('columns the scanner padded with zeros do not make a scan undersampled', () =>
    withScan({ kspace: kspaceWithout((_, kx) => kx < 1 || kx >= 5), ismrmrd_header: limits }, (scan) => {
      expect(scan).toMatchObject({ fullySampled: true, mask: undefined, acquiredColumns: [1, 5] });
    }));

  test('zero columns make a line mask', () =>
    withScan({ kspace: kspaceWithout((_, kx) => kx % 3 === 1) }, (scan) => {
      expect(scan.fullySampled).toBe(false);
      expect(scan.mask).toEqual({ shape: [6], data: Uint8Array.of(1, 0, 1, 1, 0, 1) });
    }));

  test('scattered zeros make a point mask', () =>
    withScan({ kspace: kspaceWithout((ky, kx) => (ky + kx) % 2 === 1) }, (scan) => {
      const data = Uint8Array.from({ length: 24 }, (_, i) => ((Math.floor(i / 6) + i) % 2 === 0 ? 1 : 0));
      expect(scan.mask).toEqual({ shape: [4, 6], data });
    }));

  test.each([
    ['int8 line mask', { shape: [6], data: Int32Array.of(1, 0, 1, 1, 0, 1) }],
    ['float line mask with singleton axes', { shape: [1, 1, 6, 1], data: Float32Array.of(1, 0, 1, 1, 0, 1) }],
  ])('%s', (_, mask) =>
    withScan({ kspace: kspaceDataset([1, 2, 4, 6]), mask }, (scan) => {
      expect(scan.mask).toEqual({ shape: [6], data: Uint8Array.of(1, 0, 1, 1, 0, 1) });
    }),
  );

  test('a mask of ones is no mask', () =>
    withScan({ kspace: kspaceDataset([1, 2, 4, 6]), mask: { shape: [6], data: new Uint8Array(6).fill(1) } }, (scan) => {
      expect(scan).toMatchObject({ fullySampled: true, mask: undefined });
    }));
});

describe('bad input', () => {
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
    await withScan({ kspace: ones, ismrmrd_header: { shape: [], data: bomb } }, (scan) => {
      expect(scan.header?.system ?? '').not.toContain('aaaa');
    }).catch((error: unknown) => expect(error).toMatchObject({ code: 'ERR_FILE_FORMAT' }));
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
});

describe('closing and aborting', () => {
  test('a closed scan refuses to read; a read under way ends', async () => {
    const scan = await openScan(writeH5pyFile(file('closed.h5')));
    const reading = scan.readKspace(0).then(
      () => 'done',
      (error: LarmorError) => error.code,
    );
    await scan.close();
    expect(['done', 'ERR_CLOSED']).toContain(await reading);
    await expect(scan.readKspace(0)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await scan.close();
  });

  test('an abort rejects with its reason and leaves the scan usable', async () => {
    await using scan = await openScan(writeH5pyFile(file('abort.h5')));
    const controller = new AbortController();
    const reading = scan.readKspace(0, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    await expect(scan.readKspace(0, { signal: controller.signal })).rejects.toThrow('enough');
    expect((await scan.readKspace(0)).shape).toEqual([3, 4, 6]);
  });
});

describeShared('real scans', () => {
  test('a 2-D sampled slice of a 3-D scan', async () => {
    await using scan = await openScan(shared('data/brain_t1_8ch_poisson8.h5'));
    expect(scan).toMatchObject({ slices: 1, coils: 8, matrix: [230, 180], fullySampled: false, hasReference: false });
    expect(scan.mask?.shape).toEqual([230, 180]);
    expect(scan.mask?.data.reduce((sum, bit) => sum + bit, 0)).toBe(5148);
  });

  test('the reference has the maximum and norm the file states', async () => {
    await using scan = await openScan(shared('data/brain_gre_t2star_16ch.h5'));
    const reference = await scan.readReference(0);
    expect(reference?.data.reduce((a, b) => Math.max(a, b), 0)).toBe(scan.attributes.max);
    const norm = Math.sqrt(reference!.data.reduce((sum, value) => sum + value * value, 0));
    expect(norm / Number(scan.attributes.norm)).toBeCloseTo(1, 6);
    expect(scan.header?.fieldStrength).toBeCloseTo(2.89, 2);
  });
});
