// Scans in fastMRI's layout: what is read of them, and how they close.
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
