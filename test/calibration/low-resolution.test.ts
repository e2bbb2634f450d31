import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { calibrate } from '#larmor/calibration/calibrate.js';
import { lowResolutionMaps } from '#larmor/calibration/low-resolution.js';
import { ifft2 } from '#larmor/operators/fft2.js';
import { sameBits } from '../support/bits.js';
import { noise } from '../support/complex.js';

const shape = [3, 20, 26] as const;
const [coils, ny, nx] = shape;

/** The region of a larger k-space around its middle, with Hann weights along both sides; zero elsewhere. */
function tapered(kspace: ComplexArray, side: number): ComplexArray {
  const weight = (i: number, n: number): number => {
    const first = (n >> 1) - (side >> 1);
    return i < first || i >= first + side ? 0 : Math.sin((Math.PI * (i - first + 0.5)) / side) ** 2;
  };
  const data = kspace.data.map((value, at) => {
    const i = at >> 1;
    return value * weight(Math.floor(i / nx) % ny, ny) * weight(i % nx, nx);
  });
  return { data, shape: kspace.shape };
}

describe('lowResolutionMaps', () => {
  test('are the images of the windowed centre over their root sum of squares', async () => {
    const kspace = noise(shape, 1);
    const mask = { data: new Uint8Array(ny * nx), shape: [ny, nx] as const };
    const side = 8;
    for (let y = 0; y < side; y += 1)
      for (let x = 0; x < side; x += 1) mask.data[((ny >> 1) - 4 + y) * nx + (nx >> 1) - 4 + x] = 1;
    const { maps, magnitude, calibration, crop } = await lowResolutionMaps(kspace, { mask, crop: 0.2 });
    expect(calibration).toEqual({ row: 6, rows: side, column: 9, columns: side });
    expect(crop).toBe(0.2);
    const images = await ifft2(tapered(kspace, side));
    const plane = ny * nx;
    const energy = new Float64Array(plane);
    for (let i = 0; i < images.data.length; i += 1) energy[(i >> 1) % plane] += images.data[i] ** 2;
    const largest = Math.sqrt(energy.reduce((most, value) => Math.max(most, value)));
    for (let p = 0; p < plane; p += 1) {
      expect(Math.abs(magnitude.data[p] - Math.sqrt(energy[p]) / largest)).toBeLessThan(1e-6);
      // The phase is free: the product with the images must be their norm, or zero outside.
      let [re, im] = [0, 0];
      for (let c = 0; c < coils; c += 1) {
        const i = 2 * (c * plane + p);
        const [a, b, x, y] = [maps.data[i], maps.data[i + 1], images.data[i], images.data[i + 1]];
        re += a * x + b * y;
        im += a * y - b * x;
      }
      const wanted = magnitude.data[p] > 0.2 ? 1 : 0;
      expect(Math.abs(Math.hypot(re, im) / Math.sqrt(energy[p]) - wanted)).toBeLessThan(1e-5);
    }
  });

  test('at half the pixels are those at every second one', async () => {
    const kspace = noise([3, 32, 24], 2);
    const options = { calibrationSize: 10, crop: 0 };
    const fine = await lowResolutionMaps(kspace, options);
    const coarse = await lowResolutionMaps(kspace, { ...options, matrix: [16, 12] });
    expect(coarse.maps.shape).toEqual([1, 3, 16, 12]);
    coarse.maps.data.forEach((value, at) => {
      const [c, y, x] = [Math.floor((at >> 1) / 192), Math.floor((at >> 1) / 12) % 16, (at >> 1) % 12];
      const from = 2 * ((c * 32 + 2 * y) * 24 + 2 * x) + (at & 1);
      expect(Math.abs(value - fine.maps.data[from])).toBeLessThan(1e-5);
    });
  });

  test('are bit-equal for any number of threads, and what calibrate() gives by that name', async () => {
    const kspace = noise([5, 40, 40], 3);
    const one = await lowResolutionMaps(kspace, { threads: 1 });
    const three = await calibrate(kspace, { threads: 3, method: 'low-resolution' });
    expect(sameBits(three.maps.data, one.maps.data)).toBe(true);
    expect(three).toMatchObject({ method: 'low-resolution', crop: 0.05 });
  });

  test('leave nothing of their own region unexplained where they do not crop', async () => {
    // A region as large as k-space without a window would be explained whole; the window is what is left.
    const { unexplained } = await lowResolutionMaps(noise([1, 16, 16], 4), { crop: 0 });
    expect(unexplained).toBeLessThan(1e-6); // one coil: its map is a phase
  });

  test.each<[string, ComplexArray, object, string]>([
    [
      'zeros',
      complexZeros([2, 16, 16]),
      { mask: { data: new Uint8Array(16).fill(1), shape: [16] } },
      'ERR_CALIBRATION',
    ],
    [
      'no centre',
      noise([2, 16, 16], 5),
      { mask: { data: Uint8Array.of(1, ...Array(15).fill(0)), shape: [16] } },
      'ERR_CALIBRATION',
    ],
    ['a crop of 1', noise([2, 16, 16], 5), { crop: 1 }, 'ERR_ARGUMENT'],
    ['a matrix of 0', noise([2, 16, 16], 5), { matrix: [0, 4] }, 'ERR_ARGUMENT'],
    ['NaN', { data: new Float32Array(16).fill(Number.NaN), shape: [2, 2, 2] }, {}, 'ERR_NOT_FINITE'],
    ['a wrong shape', noise([16, 16], 5), {}, 'ERR_SHAPE'],
  ])('refuse %s', async (_, kspace, options, code) => {
    await expect(lowResolutionMaps(kspace, options)).rejects.toMatchObject({ code });
  });

  test.each([
    { method: 'low-resolution', sets: 2 },
    { method: 'low-resolution', crop: 'auto' },
    { method: 'walsh' },
    { kernels: 5 },
  ])('calibrate() refuses %o', async (options) => {
    await expect(calibrate(noise(shape, 6), options as object)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});
