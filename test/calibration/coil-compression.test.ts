import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import {
  type CoilCompression,
  compressCoils,
  geometricCompression,
  svdCompression,
} from '#larmor/calibration/coil-compression.js';
import { openScan } from '#larmor/io/scan.js';
import { ifft2 } from '#larmor/operators/fft2.js';
import { sameBits } from '../support/bits.js';
import { noise, norm, relativeError } from '../support/complex.js';
import { columnsWhere, pointMask } from '../support/masks.js';
import { describeShared, shared } from '../support/shared.js';

/** Six coils that are combinations of two, with a little noise of their own. */
function twoInSix(ny: number, nx: number, strength: number): ComplexArray {
  const sources = noise([2, ny, nx], 1);
  const kspace = noise([6, ny, nx], 2);
  const length = 2 * ny * nx;
  kspace.data.forEach((value, at) => {
    const [coil, i] = [Math.floor(at / length), at % length];
    kspace.data[at] =
      strength * value + Math.cos(coil) * sources.data[i] + 0.5 * Math.sin(2 * coil) * sources.data[length + i];
  });
  return kspace;
}

/** Sum over the coils of |image|^2, which does not depend on how virtual coils of one space are turned. */
async function energy(kspace: ComplexArray): Promise<Float32Array> {
  const { data, shape } = await ifft2(kspace);
  const sums = new Float32Array(shape[1] * shape[2]);
  for (let i = 0; i < data.length; i += 2) sums[(i / 2) % sums.length] += data[i] ** 2 + data[i + 1] ** 2;
  return sums;
}

/** Largest difference from the identity of the products of rows, over all positions along the readout. */
function worstProduct({ matrices: { data, shape } }: CoilCompression): number {
  const [rows, coils] = shape.slice(-2);
  let worst = 0;
  for (let from = 0; from < data.length; from += 2 * rows * coils)
    for (let i = 0; i < rows; i += 1)
      for (let j = 0; j < rows; j += 1) {
        let [re, im] = [i === j ? -1 : 0, 0];
        for (let c = 0; c < coils; c += 1) {
          const [p, q] = [from + 2 * (i * coils + c), from + 2 * (j * coils + c)];
          re += data[p] * data[q] + data[p + 1] * data[q + 1];
          im += data[p + 1] * data[q] - data[p] * data[q + 1];
        }
        worst = Math.max(worst, Math.hypot(re, im));
      }
  return worst;
}

const METHODS = [
  ['svd', svdCompression],
  ['geometric', geometricCompression],
] as const;

describe.each(METHODS)('%s compression', (method, compress) => {
  test('finds the few coils that all are combinations of, and loses nothing', async () => {
    const kspace = twoInSix(40, 36, 0);
    const compression = await compress(kspace);
    expect(compression).toMatchObject({ method, coils: 2 });
    expect(compression.keptEnergy).toBeGreaterThan(0.999_999);
    expect(worstProduct(compression)).toBeLessThan(1e-6);
    const compressed = await compressCoils(kspace, compression);
    expect(compressed.shape).toEqual([2, 40, 36]);
    expect(relativeError(await energy(compressed), await energy(kspace))).toBeLessThan(1e-5);
  });

  test('as many virtual coils as coils turn them only: all energy is kept', async () => {
    const kspace = twoInSix(20, 22, 1);
    const compression = await compress(kspace, { coils: 6 });
    expect(compression.keptEnergy).toBeCloseTo(1, 12);
    const compressed = await compressCoils(kspace, compression);
    expect(Math.abs(norm(compressed.data) / norm(kspace.data) - 1)).toBeLessThan(1e-6);
  });

  test('more energy takes more coils, and keeps at least what was asked for', async () => {
    const kspace = twoInSix(30, 30, 0.3);
    const found = await Promise.all([0.5, 0.9, 0.99, 1].map((share) => compress(kspace, { energy: share })));
    expect(found.map(({ coils }) => coils)).toEqual([...found.map(({ coils }) => coils)].sort());
    found.forEach(({ keptEnergy }, i) => {
      expect(keptEnergy).toBeGreaterThanOrEqual([0.5, 0.9, 0.99, 1 - 1e-12][i]);
    });
    expect(found[3].coils).toBe(6);
  });

  test('looks at the fully sampled centre alone', async () => {
    const kspace = twoInSix(32, 40, 0.3);
    const mask = columnsWhere(40, (x) => x >= 12 && x < 28);
    const masked = { data: kspace.data.map((value, i) => (mask.data[(i >> 1) % 40] ? value : 0)), shape: kspace.shape };
    const [all, centre] = await Promise.all([compress(kspace, { coils: 3, mask }), compress(masked, { coils: 3 })]);
    expect(sameBits(all.matrices.data, centre.matrices.data)).toBe(true);
  });

  test('is bit-equal for any number of threads', async () => {
    const kspace = twoInSix(50, 70, 0.3);
    const [one, three] = await Promise.all(
      [1, 3].map(async (threads) => {
        const compression = await compress(kspace, { coils: 3, threads });
        return { compression, compressed: await compressCoils(kspace, compression, { threads }) };
      }),
    );
    expect(sameBits(three.compression.matrices.data, one.compression.matrices.data)).toBe(true);
    expect(sameBits(three.compressed.data, one.compressed.data)).toBe(true);
  });

  test('stops on abort', async () => {
    const reason = new Error('enough');
    const kspace = twoInSix(16, 16, 0.3);
    await expect(compress(kspace, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('refuses options and data that make no sense', async () => {
    const kspace = twoInSix(16, 16, 0.3);
    for (const options of [{ coils: 7 }, { coils: 0 }, { coils: 1.5 }, { energy: 0 }, { energy: 1.1 }])
      await expect(compress(kspace, options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await expect(compress(complexZeros([3, 8, 8]))).rejects.toMatchObject({ code: 'ERR_CALIBRATION' });
    const mask = columnsWhere(16, (x) => x < 4);
    await expect(compress(kspace, { mask })).rejects.toMatchObject({ code: 'ERR_CALIBRATION' });
    kspace.data[100] = Number.NaN;
    await expect(compress(kspace)).rejects.toMatchObject({ code: 'ERR_NOT_FINITE' });
    await expect(compress(noise([4, 4], 1))).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  });
});

test('geometric compression needs whole readouts', async () => {
  const kspace = twoInSix(64, 64, 0.3);
  const mask = pointMask(64, 64);
  mask.data.fill(1, 64 * 32 - 200, 64 * 32 + 200);
  await expect(geometricCompression(kspace, { mask })).rejects.toMatchObject({
    code: 'ERR_CALIBRATION',
    message: expect.stringContaining('svd'),
  });
});

test('a compression fits the coils and the readout it was made for', async () => {
  const kspace = twoInSix(16, 16, 0.3);
  const geometric = await geometricCompression(kspace, { coils: 2 });
  await expect(compressCoils(noise([6, 18, 16], 1), geometric)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  const svd = await svdCompression(kspace, { coils: 2 });
  await expect(compressCoils(noise([5, 16, 16], 1), svd)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
});

describeShared('coil compression of real scans', () => {
  const read = async (name: string): Promise<ComplexArray> => {
    await using scan = await openScan(shared(`data/${name}.h5`));
    return await scan.readKspace(0);
  };

  test('geometric compression keeps more with as few coils', async () => {
    const kspace = await read('phantom_gre_16ch');
    const [svd, geometric] = await Promise.all(METHODS.map(([, compress]) => compress(kspace, { coils: 4 })));
    expect(svd.keptEnergy).toBeLessThan(0.9);
    expect(geometric.keptEnergy).toBeGreaterThan(0.99);
  });

  const bart = hasBart();
  // SVD: the same subspace from the same samples. Geometric: BART looks at the middle 24 samples of the readout, larmor at all of them, so
  // that subspaces differ a little where the object ends.
  test.skipIf(!bart).each([
    ['-S', 'svd', 1e-5],
    ['-G', 'geometric', 2e-2],
  ] as const)('holds the image that BART keeps: cc %s', async (flag, method, tolerance) => {
    const kspace = await read('brain_gre_t2star_16ch');
    const compress = METHODS.find(([name]) => name === method)![1];
    const ours = await energy(await compressCoils(kspace, await compress(kspace, { coils: 6 })));
    const theirs = await energy(runBart(kspace, 6, flag));
    expect(relativeError(ours, theirs)).toBeLessThan(tolerance);
    expect(norm(ours)).toBeGreaterThan(0.999 * norm(theirs));
  });
});

function hasBart(): boolean {
  try {
    return execFileSync('bart', ['version'], { stdio: 'pipe' }).length > 0;
  } catch {
    return false;
  }
}

/** `bart cc -p coils`: BART's order is [readout, phase encode, 1, coil], first axis fastest, which is ours with ky and kx exchanged. */
function runBart(kspace: ComplexArray, coils: number, flag: string): ComplexArray {
  const folder = mkdtempSync(join(tmpdir(), 'larmor-bart-'));
  try {
    const [all, ny, nx] = kspace.shape;
    const swapped = new Float32Array(kspace.data.length);
    swapAxes(kspace.data, swapped, all, ny, nx);
    writeFileSync(join(folder, 'k.hdr'), `# Dimensions\n${[ny, nx, 1, all, ...Array(12).fill(1)].join(' ')}\n`);
    writeFileSync(join(folder, 'k.cfl'), swapped);
    execFileSync('bart', ['cc', '-p', String(coils), flag, 'k', 'virtual'], { cwd: folder, stdio: 'pipe' });
    const bytes = readFileSync(join(folder, 'virtual.cfl'));
    const result = complexZeros([coils, ny, nx]);
    swapAxes(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4), result.data, coils, nx, ny);
    return result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function swapAxes(from: Float32Array, to: Float32Array, coils: number, rows: number, columns: number): void {
  for (let c = 0; c < coils; c += 1)
    for (let y = 0; y < rows; y += 1)
      for (let x = 0; x < columns; x += 1) {
        const [a, b] = [2 * ((c * rows + y) * columns + x), 2 * ((c * columns + x) * rows + y)];
        to[b] = from[a];
        to[b + 1] = from[a + 1];
      }
}
