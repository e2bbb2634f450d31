import { describe, expect, test } from 'vitest';
import { readImages, writeImages } from '#larmor/io/image-file.js';
import { openScan } from '#larmor/io/scan.js';
import { ifft2 } from '#larmor/operators/fft2.js';
import { Resample } from '#larmor/operators/resample.js';
import { finish, planFinishing } from '#larmor/reconstruction/finish.js';
import { combineComponents } from '#larmor/reconstruction/images.js';
import { estimateMemory } from '#larmor/reconstruction/memory.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';
import { sameBits } from '../support/bits.js';
import { noise, relativeError } from '../support/complex.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { syntheticKspace, writeSyntheticScan } from '../support/scans.js';

const file = temporaryFolder();
const SIZE = 48;
const COILS = 4;
const oneSided: SamplingMask = { data: Uint8Array.from({ length: SIZE }, (_, x) => (x < 32 ? 1 : 0)), shape: [SIZE] };

describe('finish', () => {
  const scan = { matrix: [20, 24], imageShape: [16, 20], acquiredColumns: [0, 24] } as const;
  const full: SamplingMask = { data: new Uint8Array(24).fill(1), shape: [24] };

  test('without options combines and crops', async () => {
    const images = noise([3, 20, 24], 1);
    const plan = planFinishing(scan, full, {});
    const combined = await combineComponents(images);
    const { data, shape } = await finish(images, plan);
    expect(shape).toEqual([16, 20]);
    expect(data[0]).toBe(combined.data[2 * 24 + 2]);
  });

  test.each([
    [2, [40, 48], [32, 40]],
    [1.5, [30, 36], [24, 30]],
    [
      [32, 20],
      [40, 24],
      [32, 20],
    ],
  ] as const)('plans the sizes of interpolation by %j', (interpolate, matrix, imageShape) => {
    expect(planFinishing(scan, full, { interpolate })).toMatchObject({ matrix, imageShape, interpolated: true });
  });

  test.each([0.5, Number.NaN, [15, 20], [16.5, 20], [16]])('refuses interpolation by %j', (interpolate) => {
    expect(() => planFinishing(scan, full, { interpolate: interpolate as number })).toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringContaining('interpolate') }),
    );
  });

  test('refuses partial Fourier of a two-sided mask', () => {
    expect(() => planFinishing(scan, full, { partialFourier: 'pocs' })).toThrow(/equally far/);
    expect(() => planFinishing(scan, full, { partialFourier: 'half' as 'pocs' })).toThrow(/partialFourier must be/);
  });
});

describe('a reconstruction', () => {
  test('is interpolated, with no reference of another size', async () => {
    const path = await writeSyntheticScan(file('full.h5'), { slices: 2, coils: COILS, size: SIZE });
    await using scan = await openScan(path);
    const plain = await reconstruct(scan, { method: 'zero-filled' });
    const result = await reconstruct(scan, { method: 'zero-filled', interpolate: 2 });
    expect(result.image.shape).toEqual([2, 2 * SIZE, 2 * SIZE]);
    expect([result.reference, result.metrics]).toEqual([undefined, undefined]);
    expect(result.manifest.options.finishing).toMatchObject({ interpolated: true, imageShape: [2 * SIZE, 2 * SIZE] });
    // Pixel floor(n / 2) stays where it was, and every second pixel is one of the small image.
    const every = Float32Array.from(plain.image.data, (_, i) => {
      const [slice, y, x] = [Math.floor(i / SIZE ** 2), Math.floor(i / SIZE) % SIZE, i % SIZE];
      return result.image.data[(slice * 2 * SIZE + 2 * y) * 2 * SIZE + 2 * x];
    });
    expect(relativeError(every, plain.image.data)).toBeLessThan(1e-5);
    await writeImages(file('large.h5'), { reconstruction: result.image }, result.manifest);
    expect((await readImages(file('large.h5'))).shape).toEqual([2, 2 * SIZE, 2 * SIZE]);
    const [small, large] = [await estimateMemory(scan, {}), await estimateMemory(scan, { interpolate: 2 })];
    expect(large.images).toBe(4 * 2 * (2 * SIZE) ** 2); // no reference
    expect(large.perSlice).toBeGreaterThan(small.perSlice);
  });

  test('is filtered before coils are combined', async () => {
    const path = await writeSyntheticScan(file('filtered.h5'), { slices: 1, coils: COILS, size: SIZE });
    const filter = { type: 'tukey', width: 0.8 } as const;
    const { image, metrics, manifest } = await reconstruct(path, { method: 'zero-filled', filter });
    const images = await ifft2(await syntheticKspace({ slices: 1, coils: COILS, size: SIZE }, 0));
    const wanted = await combineComponents(await new Resample(images.shape, { window: filter }).apply(images));
    expect(sameBits(image.data, wanted.data)).toBe(true);
    expect(metrics?.ssim).toBeLessThan(1);
    expect(manifest.options.finishing.filter).toEqual({ type: 'tukey', width: 0.8, taper: 0.5 });
  });

  test.each(['zero-filled', 'cg-sense'])('by %s gains from partial Fourier', async (method) => {
    const scan = { slices: 1, coils: COILS, size: SIZE };
    const path = await writeSyntheticScan(file('partial.h5'), { ...scan, mask: oneSided });
    const { image: truth } = await reconstruct(await writeSyntheticScan(file('whole.h5'), scan), { method });
    const errors: number[] = [];
    for (const partialFourier of ['none', 'homodyne', 'pocs'] as const) {
      const { image } = await reconstruct(path, { method, partialFourier });
      errors.push(relativeError(image.data, truth.data));
    }
    expect(errors[1]).toBeLessThan(0.6 * errors[0]);
    expect(errors[2]).toBeLessThan(0.2 * errors[0]);
  });
});
