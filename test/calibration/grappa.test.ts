import { describe, expect, test } from 'vitest';
import { complexZeros } from '#larmor/arrays/complex-array.js';
import { grappa } from '#larmor/calibration/grappa.js';
import { float32Tensor, readSafetensors } from '#larmor/io/safetensors.js';
import { openScan } from '#larmor/io/scan.js';
import { nmse } from '#larmor/metrics/metrics.js';
import { rootSumOfSquares } from '#larmor/reconstruction/images.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';
import { sameBits } from '../support/bits.js';
import { relativeError } from '../support/complex.js';
import { centredMask, masked, noisyScan } from '../support/masks.js';
import { directGrappa } from '../support/neighbours.js';
import { describeShared, shared } from '../support/shared.js';

describeShared('grappa against pygrappa', () => {
  // The project's own figures: NMSE against the root sum of squares of all samples, and how near k-space must be.
  test.each([
    [2, 0.000134],
    [3, 0.000325],
  ])('uniform lines, R = %i', async (acceleration, wantedNmse) => {
    const file = await readSafetensors(shared('fixtures/grappa_brain_pd_8ch.safetensors'));
    await using scan = await openScan(shared(`data/${file.metadata.source}`));
    const full = await scan.readKspace(0);
    const [scale] = float32Tensor(file, 'scale').data;
    full.data.forEach((value, i) => {
      full.data[i] = value * scale;
    });
    const lines = Uint8Array.from(float32Tensor(file, `mask_r${acceleration}`).data);
    const mask: SamplingMask = { data: lines, shape: [lines.length] };
    const { kspace, calibration, warnings, unfilled } = await grappa(masked(full, mask), { mask });
    expect(calibration).toEqual({ row: 0, rows: 256, column: 116, columns: 24 });
    expect([unfilled, warnings]).toEqual([0, []]);

    const { data: wanted, shape } = float32Tensor(file, `kspace_r${acceleration}`);
    const [coils, rows, columns] = shape;
    const got = new Float32Array(wanted.length);
    for (let row = 0; row < coils * rows; row += 1)
      got.set(kspace.data.subarray(8 * row * columns, (8 * row + 2) * columns), 2 * row * columns);
    // Both calibrate in double precision; pygrappa sums in its data's own, which leaves a few 1e-6.
    expect(relativeError(got, wanted)).toBeLessThan(2e-5);
    const error = nmse(await rootSumOfSquares(full), await rootSumOfSquares(kspace));
    expect(Math.abs(error / wantedNmse - 1)).toBeLessThan(0.02);
  });
});

describe('grappa against direct sums in double precision', () => {
  test.each([
    { name: 'lines', kind: 'lines', kernel: [5, 5], acceleration: 3 },
    { name: 'points', kind: 'points', kernel: [5, 5], acceleration: 3 },
    { name: 'even kernel', kind: 'points', kernel: [4, 6], acceleration: 2 },
    { name: 'kernel of one row', kind: 'lines', kernel: [1, 7], acceleration: 2 },
    { name: 'kernel of one column', kind: 'points', kernel: [9, 1], acceleration: 2 },
  ] as const)('$name', async ({ kind, kernel, acceleration }) => {
    const mask = centredMask(24, 24, 12, kind, acceleration);
    const kspace = masked(await noisyScan(2, 24), mask);
    const options = { mask, kernel, lambda: 0.02 };
    const got = await grappa(kspace, options);
    const wanted = directGrappa(kspace, { ...options, calibration: got.calibration! });
    expect(got.patterns).toBe(wanted.patterns);
    expect(got.unfilled).toBe(wanted.unfilled);
    // Weights of single precision, and sums of up to 50 products in it.
    expect(relativeError(got.kspace.data, wanted.kspace.data)).toBeLessThan(1e-5);
  });

  test('a calibration region given by the caller', async () => {
    const mask = centredMask(32, 32, 16, 'lines', 2);
    const kspace = masked(await noisyScan(2, 32), mask);
    const options = { mask, calibration: { row: 6, rows: 20, column: 10, columns: 9 } };
    const got = await grappa(kspace, options);
    expect(got.calibration).toEqual(options.calibration);
    const wanted = directGrappa(kspace, { ...options, kernel: [5, 5], lambda: 0.01 });
    expect(relativeError(got.kspace.data, wanted.kspace.data)).toBeLessThan(1e-5);
  });
});

describe('grappa', () => {
  test('keeps measured samples bit by bit, and everything where nothing is missing', async () => {
    const full = await noisyScan(4, 36);
    const mask = centredMask(36, 36, 12, 'lines', 2);
    const { kspace } = await grappa(masked(full, mask), { mask });
    const measured = masked(kspace, mask);
    expect(sameBits(measured.data, masked(full, mask).data)).toBe(true);
    const all = await grappa(full);
    expect(all).toMatchObject({ patterns: 0, unfilled: 0, calibration: undefined, warnings: [] });
    expect(sameBits(all.kspace.data, full.data)).toBe(true);
  });

  test('takes zeros for missing without a mask, and ignores what lies where the mask is zero', async () => {
    const full = await noisyScan(4, 36);
    const mask = centredMask(36, 36, 12, 'points', 2);
    const { kspace } = await grappa(full, { mask });
    expect(sameBits((await grappa(masked(full, mask))).kspace.data, kspace.data)).toBe(true);
  });

  test('is bit-equal for any number of threads', async () => {
    const mask = centredMask(48, 48, 14, 'points', 3);
    const kspace = masked(await noisyScan(5, 48), mask);
    const [one, ...others] = await Promise.all([1, 2, 5].map((threads) => grappa(kspace, { mask, threads })));
    for (const other of others) expect(sameBits(other.kspace.data, one.kspace.data)).toBe(true);
  });

  test('reports samples out of reach of any measured one, and more acceleration than coils', async () => {
    const data = new Uint8Array(40).fill(1, 15, 25);
    const mask: SamplingMask = { data, shape: [40] };
    const { unfilled, kspace, warnings } = await grappa(masked(await noisyScan(2, 40), mask), { mask });
    expect(unfilled).toBe(26 * 40);
    expect(kspace.data.slice(0, 2 * 13).every((value) => value === 0)).toBe(true);
    expect(warnings).toEqual([
      'acceleration 4.0 exceeds the number of coils, 2: neighbours cannot determine all missing samples',
      '1040 missing samples have no measured neighbour within the kernel and stay zero: enlarge it',
    ]);
  });

  test('stops when aborted', async () => {
    const mask = centredMask(128, 128, 24, 'points', 2);
    const kspace = masked(await noisyScan(8, 128), mask);
    const controller = new AbortController();
    const running = grappa(kspace, { mask, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 10);
    await expect(running).rejects.toThrow('enough');
  });

  const kspace = { data: new Float32Array(2 * 2 * 16 * 16).fill(1), shape: [2, 16, 16] };
  const lines = (...sampled: number[]): SamplingMask => ({
    data: Uint8Array.from({ length: 16 }, (_, x) => Number(sampled.includes(x))),
    shape: [16],
  });
  const centre = lines(5, 6, 7, 8, 9, 10, 12);
  test.each([
    ['ERR_SHAPE', 'kspace must have shape [coil,ky,kx]', { data: kspace.data, shape: [32, 16] }, {}],
    ['ERR_MASK', 'mask must have shape', kspace, { mask: { data: new Uint8Array(9), shape: [9] } as const }],
    ['ERR_ARGUMENT', 'kernel must be an integer from 1 to 16', kspace, { kernel: 17 }],
    ['ERR_ARGUMENT', 'kernel must be an integer from 1 to 16', kspace, { kernel: [5, 0] as const }],
    ['ERR_ARGUMENT', 'lambda must be a positive number, got 0', kspace, { lambda: 0 }],
    ['ERR_ARGUMENT', 'lambda must be a positive number, got NaN', kspace, { lambda: Number.NaN }],
    [
      'ERR_ARGUMENT',
      'calibration must be a block',
      kspace,
      { mask: centre, calibration: { row: 0, rows: 17, column: 5, columns: 6 } },
    ],
    [
      'ERR_CALIBRATION',
      'position [0,11] was not measured',
      kspace,
      { mask: centre, calibration: { row: 0, rows: 16, column: 5, columns: 7 } },
    ],
    ['ERR_CALIBRATION', 'at least 5 x 5 samples (the kernel), found 0 x 0', kspace, { mask: lines(1, 3, 5, 14) }],
    ['ERR_CALIBRATION', 'at least 5 x 5 samples (the kernel), found 16 x 2', kspace, { mask: lines(2, 7, 8, 9) }],
    ['ERR_CALIBRATION', 'holds only zeros', complexZeros([2, 16, 16]), { mask: centre }],
    // Constant data: all patches inside are alike, and a vanishing weight does not tell their entries apart.
    ['ERR_CALIBRATION', 'does not determine the weights', kspace, { mask: centre, lambda: 1e-18 }],
    [
      'ERR_NOT_FINITE',
      'kspace holds NaN',
      { data: kspace.data.map((v, i) => (i === 9 ? Number.NaN : v)), shape: [2, 16, 16] },
      {},
    ],
  ])('%s: %s', async (code, message, samples, options) => {
    await expect(grappa(samples, options)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});
