import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { RealArray } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { centerCrop, evaluateVolume, mse, nmse, psnr, ssim, ssimMatched } from '#larmor/metrics/metrics.js';
import { describeShared, shared } from '../support/shared.js';

/** Tensors of a float32 safetensors file. */
function tensors(path: string): Record<string, RealArray> {
  const bytes = readFileSync(path);
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
  delete header.__metadata__;
  return Object.fromEntries(
    Object.entries<{ shape: number[]; data_offsets: [number, number] }>(header).map(([name, entry]) => {
      const [from, to] = entry.data_offsets.map((offset) => offset + 8 + length) as [number, number];
      return [name, { data: new Float32Array(new Uint8Array(bytes.subarray(from, to)).buffer), shape: entry.shape }];
    }),
  );
}

describeShared('metrics against scikit-image in fastMRI', () => {
  const arrays = tensors(shared('fixtures/metrics.safetensors'));
  const expected: { case: number; ssim: number; psnr: number; nmse: number; mse: number }[] = JSON.parse(
    readFileSync(shared('fixtures/metrics.json'), 'utf8'),
  );
  test.each(expected)('case $case', (want) => {
    const reference = arrays[`gt${want.case}`];
    const prediction = arrays[`pred${want.case}`];
    const got = evaluateVolume(reference, prediction);
    expect(Math.abs(got.ssim - want.ssim)).toBeLessThan(1e-6);
    expect(Math.abs(got.psnr / want.psnr - 1)).toBeLessThan(1e-6);
    expect(Math.abs(got.nmse / want.nmse - 1)).toBeLessThan(1e-6);
    expect(Math.abs(got.mse / want.mse - 1)).toBeLessThan(1e-6);
    expect(ssim(reference, prediction)).toBe(got.ssim);
    expect(psnr(reference, prediction)).toBe(got.psnr);
    expect(nmse(reference, prediction)).toBe(got.nmse);
    expect(mse(reference, prediction)).toBe(got.mse);
    expect(ssimMatched(reference, prediction)).toBe(got.ssimMatched);
  });
});

function noise(shape: readonly number[], seed: number): RealArray {
  const random = new MT19937(seed);
  const length = shape.reduce((a, b) => a * b, 1);
  return { data: Float32Array.from({ length }, () => random.uniform(0.1, 1)), shape };
}

const map = (image: RealArray, change: (value: number) => number): RealArray => ({
  data: image.data.map(change),
  shape: image.shape,
});

describe('known answers', () => {
  const reference = noise([2, 23, 19], 1);

  test('equal volumes are perfect', () => {
    const got = evaluateVolume(reference, reference);
    expect(got).toMatchObject({ psnr: Number.POSITIVE_INFINITY, nmse: 0, mse: 0 });
    expect(got.ssim).toBeCloseTo(1, 12);
    expect(got.ssimMatched).toBeCloseTo(1, 12);
  });

  test('a prediction of zeros has NMSE 1', () => {
    expect(
      nmse(
        reference,
        map(reference, () => 0),
      ),
    ).toBe(1);
  });

  test('a shift by 0.1 of a range of 2 has MSE .01 and PSNR 26.02 dB', () => {
    const shifted = map(reference, (value) => value + 0.1);
    expect(mse(reference, shifted)).toBeCloseTo(0.01, 7);
    expect(psnr(reference, shifted, { dataRange: 2 })).toBeCloseTo(20 * Math.log10(2 / 0.1), 5);
  });

  test('SSIM of one 7x7 window equals its formula', () => {
    const a = noise([7, 7], 2);
    const b = noise([7, 7], 3);
    const mean = (x: Float32Array): number => x.reduce((s, v) => s + v, 0) / 49;
    const [ma, mb] = [mean(a.data), mean(b.data)];
    const covariance = (x: Float32Array, mx: number, y: Float32Array, my: number): number =>
      x.reduce((s, v, i) => s + (v - mx) * (y[i] - my), 0) / 48;
    const [c1, c2] = [0.01 ** 2, 0.03 ** 2];
    const want =
      ((2 * ma * mb + c1) * (2 * covariance(a.data, ma, b.data, mb) + c2)) /
      ((ma * ma + mb * mb + c1) * (covariance(a.data, ma, a.data, ma) + covariance(b.data, mb, b.data, mb) + c2));
    expect(ssim(a, b, { dataRange: 1 })).toBeCloseTo(want, 12);
  });

  test('matched SSIM ignores the affine scale of each slice, SSIM does not', () => {
    const prediction = noise([2, 23, 19], 4);
    const changed = map(prediction, (value) => 3 * value + 5);
    expect(ssimMatched(reference, changed)).toBeCloseTo(ssimMatched(reference, prediction), 6);
    expect(
      ssimMatched(
        reference,
        map(reference, (value) => 3 * value + 5),
      ),
    ).toBeCloseTo(1, 6);
    expect(
      ssim(
        reference,
        map(reference, (value) => 3 * value + 5),
      ),
    ).toBeLessThan(0.5);
  });
});

describe('rejections', () => {
  const image = noise([2, 8, 8], 1);
  const bad = map(image, (value) => (value === image.data[5] ? Number.NaN : value));
  test.each([
    ['another shape', image, noise([2, 8, 9], 1), 'ERR_SHAPE'],
    ['a rank of 4', noise([1, 2, 8, 8], 1), noise([1, 2, 8, 8], 1), 'ERR_SHAPE'],
    ['data that do not fill the shape', image, { data: new Float32Array(3), shape: [2, 8, 8] }, 'ERR_SHAPE'],
    ['an empty volume', noise([0, 8, 8], 1), noise([0, 8, 8], 1), 'ERR_SHAPE'],
    ['NaN', image, bad, 'ERR_NOT_FINITE'],
    ['slices below the window', noise([2, 6, 8], 1), noise([2, 6, 8], 1), 'ERR_SHAPE'],
    ['a reference of zeros', map(image, () => 0), image, 'ERR_ARGUMENT'],
  ])('%s', (_, reference, prediction, code) => {
    expect(() => evaluateVolume(reference, prediction)).toThrow(expect.objectContaining({ code }));
  });
});

describe('centerCrop', () => {
  const image: RealArray = { data: Float32Array.from({ length: 2 * 5 * 6 }, (_, i) => i), shape: [2, 5, 6] };

  test('starts at floor((n - size) / 2) on both axes of every slice', () => {
    const cropped = centerCrop(image, [2, 3]);
    expect(cropped.shape).toEqual([2, 2, 3]);
    expect(Array.from(cropped.data)).toEqual([7, 8, 9, 13, 14, 15, 37, 38, 39, 43, 44, 45]);
  });

  test('rejects a part larger than the image', () => {
    expect(() => centerCrop(image, [6, 6])).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }));
  });
});
