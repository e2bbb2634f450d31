import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { openScan, type Scan } from '#larmor/io/scan.js';
import { ifft2 } from '#larmor/operators/fft2.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';
import { createPointMask } from '#larmor/sampling/point-mask.js';
import { relativeError } from '../support/complex.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { ismrmrdHeader, type TestAcquisition, writeIsmrmrd } from '../support/ismrmrd-files.js';
import { part, position, randomVolume } from '../support/volumes.js';

const file = temporaryFolder();

/** Float32 transforms along three axes. */
const TOLERANCE = 1e-6;

const SIZES = [3, 10, 7, 12] as const;
const [COILS, READOUT, KZ, KY] = SIZES;
const { kspace, images } = randomVolume(SIZES);
const mask = createPointMask({ shape: [KZ, KY], acceleration: 2, center: 3, seed: 1 });

/** In fastMRI's layout; with a mask, zero outside it. */
async function writeVolume(name: string, sampled?: SamplingMask): Promise<string> {
  const path = file(name);
  const description = { slices: READOUT, coils: COILS, matrix: [KZ, KY], volume: true, mask: sampled } as const;
  await using writer = await ScanWriter.create(path, description);
  for (let coil = 0; coil < COILS; coil += 1) await writer.writeCoil(coil, masked(part(kspace, coil), sampled));
  for (let x = 0; x < READOUT; x += 1)
    await writer.writeReference(x, { data: new Float32Array(KZ * KY).fill(x), shape: [KZ, KY] });
  await writer.commit();
  return path;
}

function masked({ data, shape }: ComplexArray, sampled: SamplingMask | undefined): ComplexArray {
  if (!sampled) return { data, shape };
  return { data: data.map((value, i) => value * sampled.data[(i >> 1) % sampled.data.length]), shape };
}

/** Lines along the readout, twice oversampled where `oversampled` says so, in a shuffled order. */
async function writeLines(name: string, sampled?: SamplingMask): Promise<string> {
  const acquisitions: TestAcquisition[] = [];
  for (let i = 0; i < KZ * KY; i += 1) {
    const at = (5 * i) % (KZ * KY);
    if (sampled && sampled.data[at] === 0) continue;
    const data = new Float32Array(2 * COILS * READOUT);
    for (let coil = 0; coil < COILS; coil += 1)
      for (let x = 0; x < READOUT; x += 1) {
        const from = 2 * ((coil * READOUT + x) * KZ * KY + at);
        data.set(kspace.data.subarray(from, from + 2), 2 * (coil * READOUT + x));
      }
    acquisitions.push({ data, channels: COILS, ky: at % KY, kz: Math.floor(at / KY) });
  }
  return writeIsmrmrd(file(name), ismrmrdHeader({ encoded: [READOUT, KY, KZ] }), acquisitions);
}

async function expectImages(scan: Scan): Promise<void> {
  for (const x of [READOUT - 1, 0, 4]) {
    const { data, shape } = await ifft2(await scan.readKspace(x));
    expect(shape).toEqual([COILS, KZ, KY]);
    expect(relativeError(data, position(images, x))).toBeLessThan(TOLERANCE);
  }
}

describe.each([
  ['fastMRI', writeVolume],
  ['ISMRMRD', writeLines],
] as const)('a 3-D scan in the layout of %s', (layout, write) => {
  test('is read as slices along the readout, whose images are those of the volume', async () => {
    await using scan = await openScan(await write(`${layout}.h5`));
    expect(scan).toMatchObject({
      slices: READOUT,
      coils: COILS,
      phaseEncodes: 2,
      matrix: [KZ, KY],
      imageShape: [KZ, KY],
      acquiredColumns: [0, KY],
      fullySampled: true,
      mask: undefined,
    });
    await expectImages(scan);
  });

  test('undersampled has a mask of points', async () => {
    await using scan = await openScan(await write(`${layout}-masked.h5`, mask));
    expect(scan.mask).toEqual({ data: mask.data, shape: [KZ, KY] });
    const { data } = await scan.readKspace(3);
    for (let i = 0; i < data.length; i += 1) if (mask.data[(i >> 1) % mask.data.length] === 0) expect(data[i]).toBe(0);
  });

  test('undersampled along the first phase encode only has a mask of lines', async () => {
    const lines = Uint8Array.from({ length: KZ * KY }, (_, i) => ((i % KY) % 2 === 0 ? 1 : 0));
    await using scan = await openScan(await write(`${layout}-lines.h5`, { data: lines, shape: [KZ, KY] }));
    // A dataset states points; lines are read off k-space alone.
    const shape = layout === 'fastMRI' ? [KZ, KY] : [KY];
    expect(scan.mask?.shape).toEqual(shape);
  });

  test('leaves nothing behind, and what was read at once agrees', async () => {
    const path = await write(`${layout}-closed.h5`);
    const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => /^larmor-[0-9a-f]{16}\.tmp$/.test(name));
    const scan = await openScan(path);
    const slices = await Promise.all([0, 1, 0].map((x) => scan.readKspace(x)));
    expect(slices[0].data).toEqual(slices[2].data);
    expect(leftovers()).toEqual([]);
    await scan.close();
    await expect(scan.readKspace(0)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await scan.close();
  });

  test('an abort while the volume is transformed leaves the scan usable, for others at once', async () => {
    await using scan = await openScan(await write(`${layout}-abort.h5`));
    const controller = new AbortController();
    const reading = scan.readKspace(4, { signal: controller.signal });
    const other = scan.readKspace(4);
    controller.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    expect((await other).shape).toEqual([COILS, KZ, KY]);
    await expectImages(scan);
  });

  test('a slice outside is refused', async () => {
    await using scan = await openScan(await write(`${layout}-outside.h5`));
    await expect(scan.readKspace(READOUT)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});

describe('ISMRMRD', () => {
  test('readout oversampling is cut off the slices, averages are averaged, a second slab is refused', async () => {
    const line = (value: number, rest: Partial<TestAcquisition> = {}): TestAcquisition => {
      const data = new Float32Array(2 * 8);
      data[8] = value; // the centre of k-space: a flat profile along the readout
      return { data, channels: 1, ky: 1, kz: 1, ...rest };
    };
    const header = ismrmrdHeader({ encoded: [8, 2, 2], recon: [4, 2, 2] });
    await using scan = await openScan(await writeIsmrmrd(file('wide.h5'), header, [line(1), line(3)]));
    expect(scan).toMatchObject({ slices: 4, contents: { averages: 2 } });
    const { data } = await scan.readKspace(0);
    expect(data[6]).toBeCloseTo(2 / Math.sqrt(8), 6);
    const both = [0, 1].flatMap((slice) => [line(1, { slice }), line(1, { slice, kz: 0 })]);
    const slabs = await writeIsmrmrd(file('slabs.h5'), header, both);
    await expect(openScan(slabs)).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
  });
});

describe('fastMRI', () => {
  test('references belong to the readout positions', async () => {
    await using scan = await openScan(await writeVolume('reference.h5'));
    expect(await scan.readReference(7)).toEqual({ data: new Float32Array(KZ * KY).fill(7), shape: [KZ, KY] });
    expect(scan.header).toMatchObject({
      encodedMatrix: { x: READOUT, y: KY, z: KZ },
      secondPhaseEncoding: { maximum: KZ - 1, center: KZ >> 1 },
    });
  });

  test('coils go with volumes, slices with slices', async () => {
    const description = { slices: READOUT, coils: COILS, matrix: [KZ, KY] } as const;
    await using volume = await ScanWriter.create(file('volume.h5'), { ...description, volume: true });
    await using slices = await ScanWriter.create(file('slices.h5'), description);
    await expect(volume.writeKspace(0, part(kspace, 0))).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(slices.writeCoil(0, part(kspace, 0))).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(volume.writeCoil(0, kspace)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  });
});

test('a folder for temporary files that is not there is named', async () => {
  const path = await writeVolume('nowhere.h5');
  const before = process.env.TMPDIR;
  process.env.TMPDIR = file('nowhere');
  try {
    await using scan = await openScan(path);
    await expect(scan.readKspace(0)).rejects.toMatchObject({ code: 'ERR_FILE_WRITE' });
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
});
