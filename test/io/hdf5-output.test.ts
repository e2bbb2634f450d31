import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { Hdf5Reader } from '#larmor/io/hdf5/reader.js';
import { readImages, writeImages } from '#larmor/io/image-file.js';
import { MapsWriter } from '#larmor/io/maps-file.js';
import { openScan } from '#larmor/io/scan.js';
import { temporaryFolder } from '../support/hdf5-files.js';

const file = temporaryFolder();
const ramp = (length: number, from = 0): Float32Array => Float32Array.from({ length }, (_, i) => from + i);
const leftBeside = (path: string): string[] =>
  readdirSync(dirname(path)).filter((name) => name !== basename(path) && name.includes(basename(path)));

describe('scan files', () => {
  test('openScan returns what was written', async () => {
    const path = file('written.h5');
    const mask = { data: Uint8Array.of(1, 0, 1, 1, 1), shape: [5] as const };
    const description = { slices: 2, coils: 3, matrix: [6, 5], imageShape: [4, 4], acquisition: 'T1', mask } as const;
    await using writer = await ScanWriter.create(path, { ...description, attributes: { origin: 'test' } });
    for (let slice = 0; slice < 2; slice += 1) {
      await writer.writeKspace(slice, { shape: [3, 6, 5], data: ramp(180, 1000 * slice) });
      await writer.writeReference(slice, { shape: [4, 4], data: ramp(16, 10 * slice) });
    }
    await writer.commit();

    await using scan = await openScan(path);
    expect(scan).toMatchObject({ ...description, fullySampled: false, acquiredColumns: [0, 5] });
    expect(await scan.readKspace(1)).toEqual({ shape: [3, 6, 5], data: ramp(180, 1000) });
    expect(await scan.readReference(1)).toEqual({ shape: [4, 4], data: ramp(16, 10) });
    const norm = Math.sqrt([...ramp(16), ...ramp(16, 10)].reduce((sum, value) => sum + value * value, 0));
    expect(scan.attributes).toEqual({ acquisition: 'T1', origin: 'test', max: 25, norm });
    expect(leftBeside(path)).toEqual([]);
  });

  test('wrong shapes are refused, and an uncommitted file leaves nothing', async () => {
    const path = file('partial.h5');
    const writer = await ScanWriter.create(path, { slices: 1, coils: 1, matrix: [4, 4] });
    await expect(writer.writeKspace(0, { shape: [2, 4, 4], data: ramp(64) })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    });
    await expect(writer.writeReference(0, { shape: [4, 5], data: ramp(20) })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    });
    await writer[Symbol.asyncDispose]();
    expect(readdirSync(dirname(path)).filter((name) => name.includes('partial'))).toEqual([]);
  });
});

describe('image files', () => {
  const images = { shape: [2, 3, 4], data: ramp(24) };

  test('readImages returns the reconstruction', async () => {
    await writeImages(file('images.h5'), { reconstruction: images, reconstruction_network: images }, { method: 'ü' });
    expect(await readImages(file('images.h5'))).toEqual({ ...images, dataset: 'reconstruction' });
    await using reader = await Hdf5Reader.open(file('images.h5'));
    expect(JSON.parse(String(reader.attributes.manifest))).toEqual({ method: 'ü' });
  });

  test('a file without images is refused', async () => {
    await writeImages(file('other.h5'), { maps: images }, {});
    await expect(readImages(file('other.h5'))).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
  });

  test('an abort between slices leaves nothing', async () => {
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(writeImages(file('aborted.h5'), { reconstruction: images }, {}, { signal })).rejects.toThrow('stop');
    expect(leftBeside(file('aborted.h5'))).toEqual([]);
  });

  test('an unwritable target is a coded error', async () => {
    mkdirSync(file('folder'));
    writeFileSync(file('plain'), '');
    for (const path of [file('folder'), file('none/x.h5'), file('plain/x.h5'), '/dev/full', '/proc/x.h5'])
      await expect(writeImages(path, { reconstruction: images }, {})).rejects.toMatchObject({ code: 'ERR_FILE_WRITE' });
  });

  test('a disk that fills up is a coded error, keeps the old file and leaves nothing else', () => {
    const path = file('full.h5');
    writeFileSync(path, 'old');
    const program = `
      import { writeImages } from '#larmor/io/image-file.js';
      process.on('SIGXFSZ', () => {});
      const images = { shape: [64, 64, 64], data: new Float32Array(64 ** 3) };
      await writeImages(process.argv[1], { reconstruction: images }, {}).catch((e) => console.log(e.code, e.message));`;
    const run = spawnSync(
      'sh',
      ['-c', 'ulimit -f 100; exec "$0" --input-type=module -e "$1" "$2"', process.execPath, program, path],
      { encoding: 'utf8' },
    );
    expect(run.stdout).toMatch(/^ERR_FILE_WRITE .*full\.h5: cannot/);
    expect(run.stderr).toBe('');
    expect(leftBeside(path)).toEqual([]);
  });
});

test('maps files hold every slice', async () => {
  await using writer = await MapsWriter.create(file('maps.h5'), [2, 1, 2, 3, 4]);
  for (let slice = 0; slice < 2; slice += 1)
    await writer.write(slice, { shape: [1, 2, 3, 4], data: ramp(48, 100 * slice) });
  await writer.commit({ sets: 1 });
  await using reader = await Hdf5Reader.open(file('maps.h5'));
  expect(reader.datasets.get('maps')).toEqual({ name: 'maps', shape: [2, 1, 2, 3, 4], elements: 'complex64' });
  const box = { start: [1, 0, 0, 0, 0], count: [1, 1, 2, 3, 4] };
  expect(await reader.readComplex('maps', box)).toEqual(ramp(48, 100));
});

const python = '/usr/bin/python3';
const hasH5py = spawnSync(python, ['-c', 'import h5py']).status === 0;

describe.skipIf(!hasH5py)(`what h5py reads of our files${hasH5py ? '' : ' (skipped: no h5py)'}`, () => {
  test('types, shapes and values are those fastMRI files have', async () => {
    const path = file('peer.h5');
    const mask = { data: Uint8Array.of(1, 0, 1, 1, 1), shape: [5] as const };
    await using writer = await ScanWriter.create(path, {
      slices: 1,
      coils: 2,
      matrix: [4, 5],
      acquisition: 'T2',
      mask,
    });
    await writer.writeKspace(0, { shape: [2, 4, 5], data: ramp(80) });
    await writer.writeReference(0, { shape: [4, 5], data: ramp(20) });
    await writer.commit();
    const program = `
import h5py, json, sys
f = h5py.File(sys.argv[1])
k = f['kspace']
print(json.dumps([str(k.dtype), k.shape, k[0, 1, 2, 3].real.item(), k[0, 1, 2, 3].imag.item(),
  str(f['reconstruction_rss'].dtype), float(f['reconstruction_rss'][0, 3, 4]), f['mask'][()].tolist(),
  f['ismrmrd_header'][()].decode()[:20], f.attrs['acquisition'], f.attrs['max']]))`;
    const read = JSON.parse(execFileSync(python, ['-c', program, path], { encoding: 'utf8' }));
    const [xml, ...rest] = ['<?xml version="1.0"?', 'T2', 19];
    expect(read).toEqual(['complex64', [1, 2, 4, 5], 66, 67, 'float32', 19, [1, 0, 1, 1, 1], xml, ...rest]);
  });
});
