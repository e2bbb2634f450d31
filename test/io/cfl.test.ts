import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readCfl, writeCfl } from '#larmor/io/cfl.js';
import { openScan } from '#larmor/io/scan.js';
import { ifft2 } from '#larmor/operators/fft2.js';
import { noise, relativeError } from '../support/complex.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { runCli } from '../support/run-cli.js';
import { position, randomVolume } from '../support/volumes.js';

const file = temporaryFolder();

/** Writes a pair as the format describes it: text, and values with the first dimension fastest. */
function writePair(
  name: string,
  dimensions: readonly number[],
  value: (index: readonly number[]) => readonly [number, number],
): string {
  const data = new Float32Array(2 * dimensions.reduce((a, b) => a * b));
  for (let i = 0; i < data.length / 2; i += 1) {
    let rest = i;
    const index = dimensions.map((n) => {
      const at = rest % n;
      rest = (rest - at) / n;
      return at;
    });
    data.set(value(index), 2 * i);
  }
  writeFileSync(file(`${name}.cfl`), data);
  writeFileSync(file(`${name}.hdr`), `# Dimensions\n${dimensions.join(' ')}\n# Command\nfft 3\n# Creator\nBART\n`);
  return file(`${name}.cfl`);
}

describe('readCfl and writeCfl', () => {
  test('the last axis is the first dimension', async () => {
    const path = writePair('small', [3, 2, 1, 4], ([x, y, , coil]) => [100 * coil + 10 * y + x, 1]);
    for (const name of [path, file('small.hdr'), file('small')]) {
      const { data, shape } = await readCfl(name);
      expect(shape).toEqual([4, 1, 2, 3]);
      expect(data[2 * ((3 * 2 + 1) * 3 + 2)]).toBe(312);
    }
  });

  test('what is written is read back, with 16 dimensions in the header', async () => {
    const array = noise([2, 3, 5], 1);
    await writeCfl(file('back'), array);
    expect(await readCfl(file('back'))).toEqual(array);
    expect(readFileSync(file('back.hdr'), 'latin1')).toBe(`# Dimensions\n5 3 2${' 1'.repeat(13)} \n`);
  });

  test('bad pairs are refused', async () => {
    const path = writePair('bad', [4, 4], () => [1, 0]);
    truncateSync(path, 100);
    await expect(readCfl(path)).rejects.toMatchObject({
      code: 'ERR_FILE_FORMAT',
      message: expect.stringMatching(/100 bytes/),
    });
    for (const header of [
      '',
      '# Dimensions\n',
      '# Dimensions\n4 -4\n',
      '# Dimensions\n4 x\n',
      `# Dimensions\n${'2 '.repeat(17)}\n`,
    ]) {
      writeFileSync(file('bad.hdr'), header);
      await expect(readCfl(path)).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
    }
    await expect(readCfl(file('none'))).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
    await expect(writeCfl(file('x'), { data: new Float32Array(3), shape: [2] })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    });
  });
});

describe('as a scan', () => {
  test('slices have the readout along their rows, and lines that are zero are not sampled', async () => {
    const path = writePair('slices', [5, 4, 1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2], (index) => {
      const [x, y, , coil] = index;
      return y === 2 ? [0, 0] : [1000 * index[13] + 100 * coil + 10 * y + x + 1, 2];
    });
    await using scan = await openScan(path);
    expect(scan).toMatchObject({ format: 'cfl', slices: 2, coils: 3, matrix: [5, 4], phaseEncodes: 1 });
    expect(scan.mask).toEqual({ shape: [4], data: Uint8Array.of(1, 1, 0, 1) });
    const { data, shape } = await scan.readKspace(1);
    expect(shape).toEqual([3, 5, 4]);
    expect(data[2 * ((2 * 5 + 3) * 4 + 1)]).toBe(1214);
  });

  test('without readout, the two phase encodes are a slice', async () => {
    const path = writePair('phases', [1, 4, 5, 2], ([, y, z, coil]) => [100 * coil + 10 * z + y + 1, 0]);
    await using scan = await openScan(path);
    expect(scan).toMatchObject({ slices: 1, coils: 2, matrix: [5, 4], fullySampled: true });
    expect((await scan.readKspace(0)).data[2 * ((1 * 5 + 4) * 4 + 3)]).toBe(144);
  });

  test('a volume is decoupled along its readout', async () => {
    const [coils, readout, kz, ky] = [2, 9, 4, 6];
    const { kspace, images } = randomVolume([coils, readout, kz, ky]);
    const path = writePair('volume', [readout, ky, kz, coils], ([x, y, z]) => [(y + z) % 2 === 0 ? 0 : x + 1, 0]);
    await using scan = await openScan(path);
    expect(scan).toMatchObject({ slices: readout, coils, matrix: [kz, ky], phaseEncodes: 2 });
    const mask = Uint8Array.from({ length: kz * ky }, (_, i) => (Math.floor(i / ky) + (i % ky)) % 2);
    expect(scan.mask).toEqual({ shape: [kz, ky], data: mask });
    const full = writePair('full', [readout, ky, kz, coils], ([x, y, z, coil]) => {
      const at = 2 * (((coil * readout + x) * kz + z) * ky + y);
      return [kspace.data[at], kspace.data[at + 1]];
    });
    await using whole = await openScan(full);
    const { data } = await ifft2(await whole.readKspace(7));
    expect(relativeError(data, position(images, 7))).toBeLessThan(1e-6);
  });

  test.each<[string, readonly number[], string]>([
    ['echoes', [4, 4, 1, 2, 1, 3], 'ERR_FILE_FORMAT'],
    ['several volumes', [4, 4, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2], 'ERR_FILE_FORMAT'],
  ])('%s are refused', async (_, dimensions, code) => {
    await expect(openScan(writePair('refused', dimensions, () => [1, 0]))).rejects.toMatchObject({ code });
  });

  test('NaN, and parts that such files do not have, are refused', async () => {
    const path = writePair('nan', [4, 4, 1, 2], ([x]) => [x === 3 ? Number.NaN : 1, 0]);
    await expect(openScan(path)).rejects.toMatchObject({ code: 'ERR_NOT_FINITE' });
    await expect(openScan(path, { contrast: 0 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});

const BART = '/usr/bin/bart';

describe.skipIf(!existsSync(BART))(`with ${BART} (skipped where it is not installed)`, () => {
  test("its phantom's k-space becomes its phantom's image", async () => {
    const bart = (...args: readonly string[]): void => void execFileSync(BART, args, { stdio: 'ignore' });
    bart('phantom', '-k', '-x', '64', '-s', '8', file('k'));
    bart('fft', '-i', '-u', '3', file('k'), file('images'));
    bart('rss', '8', file('images'), file('rss'));
    const { exitCode } = await runCli(['recon', file('k.cfl'), '-o', file('out.h5'), '--method', 'zero-filled']);
    expect(exitCode).toBe(0);
    await using scan = await openScan(file('k.cfl'));
    const { data } = await ifft2(await scan.readKspace(0));
    const expected = (await readCfl(file('images'))).data;
    // [coil, y, x] of BART against [coil, x, y].
    const turned = new Float32Array(data.length);
    for (let i = 0; i < data.length / 2; i += 1) {
      const [coil, x, y] = [Math.floor(i / 4096), Math.floor(i / 64) % 64, i % 64];
      turned.set(data.subarray(2 * i, 2 * i + 2), 2 * ((coil * 64 + y) * 64 + x));
    }
    expect(relativeError(turned, expected)).toBeLessThan(1e-6);
    const info = JSON.parse((await runCli(['info', file('k.hdr'), '--json'])).stdout);
    expect(info).toMatchObject({ format: 'cfl', coils: 8, matrix: [64, 64] });
  });
});
