import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { readNifti } from '#larmor/io/nifti.js';
import { describeShared, shared } from '../support/shared.js';

const folder = mkdtempSync(join(tmpdir(), 'larmor-nifti-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Crafted {
  littleEndian?: boolean;
  dims?: number[];
  datatype?: number;
  slope?: number;
  intercept?: number;
  offset?: number;
  voxels?: (view: DataView, littleEndian: boolean) => void;
  voxelBytes?: number;
}

/** A NIfTI-1 file built field by field from the format's definition. */
function craft(name: string, options: Crafted = {}): string {
  const { littleEndian = true, dims = [3, 4, 3, 2], datatype = 4, slope = 0, intercept = 0, offset = 352 } = options;
  const { voxelBytes = 48, voxels } = options;
  const buffer = new ArrayBuffer(352 + voxelBytes);
  const view = new DataView(buffer);
  view.setInt32(0, 348, littleEndian);
  dims.forEach((n, i) => {
    view.setInt16(40 + 2 * i, n, littleEndian);
  });
  view.setInt16(70, datatype, littleEndian);
  view.setInt16(72, 16, littleEndian);
  [1, 0.5, 0.75, 3].forEach((size, i) => {
    view.setFloat32(76 + 4 * i, size, littleEndian);
  });
  view.setFloat32(108, offset, littleEndian);
  view.setFloat32(112, slope, littleEndian);
  view.setFloat32(116, intercept, littleEndian);
  view.setUint32(344, 0x6e2b3100, false);
  voxels?.(new DataView(buffer, 352), littleEndian);
  const path = join(folder, name);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(new Uint8Array(buffer)) : new Uint8Array(buffer));
  return path;
}

const counting = (view: DataView, littleEndian: boolean): void => {
  for (let i = 0; i < 24; ++i) view.setInt16(2 * i, i - 3, littleEndian);
};

describe('readNifti', () => {
  test.each([
    ['plain.nii', true],
    ['zipped.nii.gz', true],
    ['big-endian.nii', false],
  ])('%s: first axis is x, third the slice', async (name, littleEndian) => {
    const { volume, spacing } = await readNifti(craft(name, { littleEndian, voxels: counting }));
    expect(volume.shape).toEqual([2, 3, 4]);
    expect(Array.from(volume.data)).toEqual(Array.from({ length: 24 }, (_, i) => i - 3));
    expect(spacing).toEqual([3, 0.75, 0.5]);
  });

  test('applies slope and intercept', async () => {
    const { volume } = await readNifti(craft('scaled.nii', { slope: 2, intercept: 10, voxels: counting }));
    expect(volume.data[0]).toBe(4);
    expect(volume.data[23]).toBe(50);
  });

  test('takes two dimensions as one slice, trailing dimensions of 1 as none', async () => {
    expect((await readNifti(craft('2d.nii', { dims: [2, 4, 3] }))).volume.shape).toEqual([1, 3, 4]);
    expect((await readNifti(craft('5d.nii', { dims: [5, 4, 3, 2, 1, 1] }))).volume.shape).toEqual([2, 3, 4]);
  });

  test('has only whole or no values: NaN is an error', async () => {
    const path = craft('nan.nii', { datatype: 16, voxelBytes: 96, voxels: (v) => v.setFloat32(8, Number.NaN, true) });
    await expect(readNifti(path)).rejects.toMatchObject({ code: 'ERR_NOT_FINITE' });
  });
});

describe('readNifti rejects', () => {
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  test.each([
    ['a truncated volume', () => craft('short.nii', { voxelBytes: 40 })],
    ['a cut gzip stream', () => write('cut.nii.gz', gzipSync(Buffer.alloc(5000, 'x')).subarray(0, 20))],
    ['an empty file', () => write('empty.nii', '')],
    ['another kind of file', () => write('text.nii', 'not an image '.repeat(60))],
    ['a time series', () => craft('4d.nii', { dims: [4, 4, 3, 1, 2] })],
    ['negative sizes', () => craft('negative.nii', { dims: [3, -4, 3, 2] })],
    ['absurd sizes', () => craft('absurd.nii', { dims: [3, 32767, 32767, 32767] })],
    ['complex elements', () => craft('complex.nii', { datatype: 32 })],
    ['an unknown element type', () => craft('type.nii', { datatype: 999 })],
    ['an offset inside the header', () => craft('offset.nii', { offset: 12 })],
    ['an offset that is not a number', () => craft('offset-nan.nii', { offset: Number.NaN })],
  ])('%s', async (_, make) => {
    await expect(readNifti(make())).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
  });

  test('a file that is not there', async () => {
    await expect(readNifti(join(folder, 'none.nii'))).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
  });
});

describeShared('readNifti on scans', () => {
  test.each([
    ['mag_brain_t1_axial.nii.gz', [35, 274, 384]],
    ['mag_brain_t2flair_axial.nii.gz', [26, 320, 320]],
    ['mag_neck_t2star_axial.nii.gz', [11, 320, 320]],
    ['mag_pelvis_t2_axial.nii.gz', [26, 512, 512]],
  ])('%s: mean and one voxel as plain byte reading finds them', async (name, shape) => {
    const path = shared(`data/${name}`);
    const { volume } = await readNifti(path);
    expect(volume.shape).toEqual(shape);
    const program = `
import gzip, struct, array, sys
b = gzip.open(sys.argv[1]).read()
code, = struct.unpack('<h', b[70:72]); offset, slope, inter = struct.unpack('<3f', b[108:120])
a = array.array({2: 'B', 4: 'h', 512: 'H', 16: 'f', 64: 'd', 8: 'i'}[code]); a.frombytes(b[int(offset):])
slope = slope or 1
print(slope * sum(a) / len(a) + inter, slope * a[len(a) // 2 + 77] + inter)`;
    const [mean, voxel] = execFileSync('/usr/bin/python3', ['-c', program, path], { encoding: 'utf8' })
      .split(' ')
      .map(Number) as [number, number];
    let sum = 0;
    for (const value of volume.data) sum += value;
    expect(sum / volume.data.length / mean).toBeCloseTo(1, 6);
    expect(volume.data[(volume.data.length >> 1) + 77]).toBeCloseTo(voxel, 3);
  });
});
