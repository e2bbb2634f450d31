import { readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openScan } from '#larmor/io/scan.js';
import { ifft2 } from '#larmor/operators/fft2.js';
import { sameBits } from '../support/bits.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { runCli } from '../support/run-cli.js';

const file = temporaryFolder();

/** A NIfTI-1 file of one byte a voxel: [slices, 20, 24], a bright box in a dark field. */
function box(name: string, slices: number): string {
  const bytes = Buffer.alloc(352 + slices * 480);
  bytes.writeInt32LE(348, 0);
  [3, 24, 20, slices].forEach((n, i) => {
    bytes.writeInt16LE(n, 40 + 2 * i);
  });
  bytes.writeInt16LE(2, 70);
  [1, 2, 2, 5].forEach((size, i) => {
    bytes.writeFloatLE(size, 76 + 4 * i);
  });
  bytes.writeFloatLE(352, 108);
  bytes.write('n+1\0', 344, 'latin1');
  for (let s = 0; s < slices; ++s)
    for (let y = 5; y < 15; ++y) bytes.fill(100 + s, 352 + (s * 20 + y) * 24 + 6, 352 + (s * 20 + y) * 24 + 18);
  writeFileSync(file(name), bytes);
  return file(name);
}

describe('larmor simulate', () => {
  test('a volume becomes a fully sampled scan that shows it', async () => {
    const input = box('box.nii', 3);
    const args = ['simulate', input, '-o', file('box.h5'), '--size', '24', '--coils', '3', '--slices', '1:3'];
    const { exitCode, stdout } = await runCli([...args, '--snr', '1000', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ slices: 2, coils: 3, matrix: [24, 24], source: 'box.nii', seed: 0 });
    await using scan = await openScan(file('box.h5'));
    expect([scan.slices, scan.coils, scan.matrix, scan.fullySampled]).toEqual([2, 3, [24, 24], true]);
    const reference = await scan.readReference(1);
    // The middle of the box in slice 2 of the volume; rows are centred in the square field of view.
    expect(reference?.data[12 * 24 + 12]).toBeCloseTo(102, 0);
    expect(reference?.data[2 * 24 + 2]).toBeLessThan(2);
    const coilImages = await ifft2(await scan.readKspace(1));
    let energy = 0;
    for (let coil = 0; coil < 3; ++coil) {
      const p = 2 * (coil * 576 + 12 * 24 + 12);
      energy += coilImages.data[p] ** 2 + coilImages.data[p + 1] ** 2;
    }
    // One coil's noise is 0.1.
    expect(Math.abs(Math.sqrt(energy) - (reference?.data[12 * 24 + 12] ?? 0))).toBeLessThan(0.5);
  });

  test('a phantom, the same for the same seed', async () => {
    const args = ['simulate', '--phantom', 'abdomen', '--size', '32', '--slices', '0:1', '--seed', '5'];
    for (const name of ['a.h5', 'b.h5']) {
      const { exitCode, stdout } = await runCli([...args, '-o', file(name)]);
      expect([exitCode, stdout]).toEqual([0, `${file(name)}: 1 slice, 8 coils, 32 x 32, fully sampled\n`]);
    }
    await using a = await openScan(file('a.h5'));
    await using b = await openScan(file('b.h5'));
    expect(sameBits((await a.readKspace(0)).data, (await b.readKspace(0)).data)).toBe(true);
    expect(a.attributes.origin).toMatch(/phantom abdomen, seed 5/);
  });

  test.each<[string, () => string[], number, string]>([
    ['neither volume nor phantom', () => [], 2, 'ERR_ARGUMENT'],
    ['both', () => [box('v.nii', 1), '--phantom', 'head'], 2, 'ERR_ARGUMENT'],
    ['a contrast of a volume', () => [box('v.nii', 1), '--contrast', 't1'], 2, 'ERR_ARGUMENT'],
    ['slices beyond the volume', () => [box('v.nii', 1), '--slices', '0:2'], 2, 'ERR_ARGUMENT'],
    ['slices of a phantom from the middle', () => ['--phantom', 'head', '--slices', '2:3'], 2, 'ERR_ARGUMENT'],
    ['a volume that is not there', () => [file('none.nii')], 1, 'ERR_FILE_NOT_FOUND'],
  ])('%s fails and leaves nothing', async (_, make, status, code) => {
    const { exitCode, stdout } = await runCli(['simulate', ...make(), '-o', file('never.h5'), '--json']);
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([status, code]);
    expect(readdirSync(dirname(file('never.h5'))).filter((name) => name.includes('never'))).toEqual([]);
  });
});
