import { describe, expect, test } from 'vitest';
import { grappa } from '#larmor/calibration/grappa.js';
import { spirit } from '#larmor/calibration/spirit.js';
import { openScan } from '#larmor/io/scan.js';
import { nmse } from '#larmor/metrics/metrics.js';
import { rootSumOfSquares } from '#larmor/reconstruction/images.js';
import { createMask, type SamplingMask } from '#larmor/sampling/mask.js';
import { sameBits } from '../support/bits.js';
import { relativeError } from '../support/complex.js';
import { centredMask, masked, noisyScan } from '../support/masks.js';
import { directSpirit } from '../support/neighbours.js';
import { describeShared, shared } from '../support/shared.js';

describe('spirit against a dense system in double precision', () => {
  test.each([
    { name: 'lines', kind: 'lines', kernel: [3, 3] },
    { name: 'points', kind: 'points', kernel: [3, 3] },
    { name: 'even kernel, lines', kind: 'lines', kernel: [2, 4] },
    { name: 'kernel of one row, points', kind: 'points', kernel: [1, 5] },
  ] as const)('$name', async ({ kind, kernel }) => {
    const mask = centredMask(10, 10, 6, kind, 2);
    const kspace = masked(await noisyScan(2, 10), mask);
    const options = { mask, kernel, lambda: 0.02, regularisation: 0.05 };
    const got = await spirit(kspace, { ...options, maxIterations: 500, tolerance: 1e-6 });
    expect(got.solver.stop).toBe('tolerance');
    const wanted = directSpirit(kspace, { ...options, calibration: got.calibration! });
    // The eigenvalues lie between 0.05 and a few: a residual of 1e-6 is an error of at most 1e-4, and in the mean far less.
    expect(relativeError(got.kspace.data, wanted.data)).toBeLessThan(2e-5);
  });
});

describeShared('spirit on real scans', () => {
  test.each([
    { name: 'brain_pd_8ch', type: 'equispaced', acceleration: 3 },
    { name: 'brain_pd_8ch', type: 'random', acceleration: 3 },
    { name: 'brain_gre_t2star_16ch', type: 'equispaced', acceleration: 4 },
    { name: 'brain_gre_t2star_16ch', type: 'random', acceleration: 2 },
  ] as const)(
    'is nearer the truth than GRAPPA: $name, $type, R = $acceleration',
    async ({ name, type, acceleration }) => {
      await using scan = await openScan(shared(`data/${name}.h5`));
      const full = await scan.readKspace(0);
      const columns = full.shape[2];
      const { data, shape } = createMask({ type, columns, acceleration, centerFraction: 20 / columns, seed: 1 });
      const mask: SamplingMask = { data, shape };
      const undersampled = masked(full, mask);
      const truth = await rootSumOfSquares(full);
      const [ours, theirs] = await Promise.all([spirit(undersampled, { mask }), grappa(undersampled, { mask })]);
      const error = nmse(truth, await rootSumOfSquares(ours.kspace));
      expect(error).toBeLessThan(nmse(truth, await rootSumOfSquares(theirs.kspace)));
    },
  );
});

describe('spirit', () => {
  test.each(['lines', 'points'] as const)('keeps measured samples bit by bit: %s', async (kind) => {
    const mask = centredMask(36, 36, 12, kind, 2);
    const undersampled = masked(await noisyScan(4, 36), mask);
    const { kspace } = await spirit(undersampled, { mask });
    expect(sameBits(masked(kspace, mask).data, undersampled.data)).toBe(true);
  });

  test('returns k-space as it is where nothing is missing', async () => {
    const full = await noisyScan(3, 24);
    const { kspace, calibration, solver, warnings } = await spirit(full);
    expect(sameBits(kspace.data, full.data)).toBe(true);
    expect([calibration, solver, warnings]).toEqual([undefined, { iterations: 0, residual: 0, stop: 'tolerance' }, []]);
  });

  test('solves rows apart under lines to what it solves at once under points', async () => {
    const [coils, size] = [4, 33];
    const lines = centredMask(size, size, 12, 'lines', 2);
    const kspace = masked(await noisyScan(coils, size), lines);
    const options = { regularisation: 0.1, tolerance: 1e-6, maxIterations: 500 };
    const apart = await spirit(kspace, { ...options, mask: lines });
    // One position measured after all, as it was found, makes the mask one of points and leaves the others where they were.
    const points = Uint8Array.from({ length: size * size }, (_, i) => lines.data[i % size]);
    const position = points.indexOf(0);
    points[position] = 1;
    for (let coil = 0; coil < coils; coil += 1) {
      const at = 2 * (coil * size * size + position);
      kspace.data.set(apart.kspace.data.subarray(at, at + 2), at);
    }
    const mask: SamplingMask = { data: points, shape: [size, size] };
    const together = await spirit(kspace, { ...options, mask, calibration: apart.calibration });
    expect(relativeError(together.kspace.data, apart.kspace.data)).toBeLessThan(2e-5);
  });

  test.each(['lines', 'points'] as const)('is bit-equal for any number of threads: %s', async (kind) => {
    const mask = centredMask(48, 48, 14, kind, 3);
    const kspace = masked(await noisyScan(5, 48), mask);
    const [one, ...others] = await Promise.all([1, 2, 5].map((threads) => spirit(kspace, { mask, threads })));
    for (const other of others) expect(sameBits(other.kspace.data, one.kspace.data)).toBe(true);
  });

  test('stops when aborted', async () => {
    const mask = centredMask(128, 128, 24, 'points', 2);
    const kspace = masked(await noisyScan(8, 128), mask);
    const controller = new AbortController();
    const running = spirit(kspace, { mask, signal: controller.signal, tolerance: 0, maxIterations: 1000 });
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(running).rejects.toThrow('enough');
  });

  const kspace = { data: new Float32Array(2 * 2 * 16 * 16).fill(1), shape: [2, 16, 16] };
  const mask: SamplingMask = { data: Uint8Array.from({ length: 16 }, (_, x) => Number(x > 4 && x < 11)), shape: [16] };
  test.each([
    ['ERR_ARGUMENT', 'kernel must be an integer', { kernel: 0 }],
    ['ERR_ARGUMENT', 'lambda must be a positive number', { lambda: -1 }],
    ['ERR_ARGUMENT', 'regularisation must be a finite number', { regularisation: Number.NaN }],
    ['ERR_ARGUMENT', 'maxIterations must be a positive integer', { maxIterations: 0 }],
    ['ERR_CALIBRATION', 'at least 7 x 7 samples', { mask, kernel: 7 }],
    ['ERR_CALIBRATION', 'does not determine the weights', { mask, lambda: 1e-18 }],
  ])('%s: %s', async (code, message, options) => {
    await expect(spirit(kspace, options)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});
