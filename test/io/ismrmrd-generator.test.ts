// Files of ISMRMRD's own generator, where it is installed.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Hdf5Reader } from '#larmor/io/hdf5/reader.js';
import { openScan } from '#larmor/io/scan.js';
import { ifft2 } from '#larmor/operators/fft2.js';
import { relativeError } from '../support/complex.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { TOLERANCE } from '../support/ismrmrd-scans.js';

const file = temporaryFolder();

const GENERATOR = '/usr/bin/ismrmrd_generate_cartesian_shepp_logan';

const withGenerator = describe.skipIf(!existsSync(GENERATOR));

withGenerator(`a file of ISMRMRD's own ${GENERATOR} (skipped where it is not installed)`, () => {
  const generate = (...options: readonly string[]): string => {
    const path = file(`phantom${options.join('')}.h5`); // the program appends to a file that exists
    execFileSync(GENERATOR, ['-m', '64', '-c', '4', '-C', ...options, '-o', path], { stdio: 'ignore' });
    return path;
  };

  test('gives the coil images that the file also holds', async () => {
    const path = generate('-n', '0');
    await using scan = await openScan(path);
    expect(scan).toMatchObject({ matrix: [64, 64], coils: 4, fullySampled: true, contents: { lines: 64, noise: 1 } });
    const { data } = await ifft2(await scan.readKspace(0));
    // [1, coil, phase encode, readout], the readout twice oversampled.
    await using raw = await Hdf5Reader.open(path);
    const stored = await raw.readComplex('dataset/coil_images', { start: [0, 0, 0, 32], count: [1, 4, 64, 64] });
    const transposed = new Float32Array(stored.length);
    for (let i = 0; i < stored.length / 2; i += 1) {
      const [coil, y, x] = [Math.floor(i / 4096), Math.floor(i / 64) % 64, i % 64];
      transposed.set(stored.subarray(2 * i, 2 * i + 2), 2 * ((coil * 64 + x) * 64 + y));
    }
    const energy = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    const scale = energy(transposed) / energy(data);
    expect(
      relativeError(
        data.map((value) => scale * value),
        transposed,
      ),
    ).toBeLessThan(TOLERANCE);
  });

  test('accelerated, with calibration lines and repetitions', async () => {
    await using scan = await openScan(generate('-a', '2', '-w', '16'), { repetition: 1 });
    expect(scan.contents).toMatchObject({ available: { repetition: [0, 1] }, selected: { repetition: 1 } });
    const expected = Uint8Array.from({ length: 64 }, (_, ky) => (ky % 2 === 1 || (ky >= 24 && ky < 40) ? 1 : 0));
    expect(scan.mask).toEqual({ shape: [64], data: expected });
    expect((await scan.readNoise())?.shape).toEqual([4, 128]);
  });
});
