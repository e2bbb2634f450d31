import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { openScan } from '#larmor/io/scan.js';
import { fft2, ifft2 } from '#larmor/operators/fft2.js';
import { Mask } from '#larmor/operators/mask.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';
import { homodyne, oneSidedSampling, pocs } from '#larmor/solvers/partial-fourier.js';
import { sameBits } from '../support/bits.js';
import { noise, relativeError } from '../support/complex.js';
import { describeShared, shared } from '../support/shared.js';

/** Columns [first, end) of n. */
const columns = (n: number, first: number, end: number): SamplingMask => ({
  data: Uint8Array.from({ length: n }, (_, x) => (x >= first && x < end ? 1 : 0)),
  shape: [n],
});

/** Coils' images of what a mask leaves of their k-space. */
const zeroFilled = async (kspace: ComplexArray, mask: SamplingMask): Promise<ComplexArray> =>
  await ifft2(await new Mask(mask, kspace.shape).apply(kspace));

describe('oneSidedSampling', () => {
  test.each([
    [columns(64, 0, 40), { axis: 'x', first: 0, end: 40 }],
    [columns(64, 24, 64), { axis: 'x', first: 24, end: 64 }],
    [columns(65, 20, 65), { axis: 'x', first: 20, end: 65 }],
  ])('finds the side', (mask, wanted) => {
    expect(oneSidedSampling(mask, [10, mask.data.length])).toEqual(wanted);
  });

  test('along ky, of a mask of points', () => {
    const mask: SamplingMask = {
      data: Uint8Array.from({ length: 32 * 16 }, (_, i) => (i >= 10 * 16 ? 1 : 0)),
      shape: [32, 16],
    };
    expect(oneSidedSampling(mask, [32, 16])).toEqual({ axis: 'y', first: 10, end: 32 });
  });

  test('within the columns a scanner acquired', () => {
    expect(oneSidedSampling(columns(64, 0, 64), [8, 64], [20, 60])).toEqual({ axis: 'x', first: 20, end: 60 });
  });

  test('among random lines', () => {
    const mask = columns(64, 0, 40);
    for (let x = 1; x < 28; x += 3) mask.data[x] = 0;
    expect(oneSidedSampling(mask, [8, 64])).toEqual({ axis: 'x', first: 0, end: 40 });
  });

  test.each([columns(64, 0, 64), columns(65, 0, 65), columns(64, 10, 54), columns(64, 2, 64)])(
    'refuses masks that are not one-sided',
    (mask) => {
      expect(() => oneSidedSampling(mask, [8, mask.data.length])).toThrow(
        expect.objectContaining({ code: 'ERR_MASK', message: expect.stringContaining('equally far') }),
      );
    },
  );

  test('refuses masks without a centre to see the phase from', () => {
    expect(() => oneSidedSampling(columns(64, 0, 34), [8, 64])).toThrow(/at least 4 lines/);
  });
});

/** A smooth positive image of constant phase, without the highest frequency, in two components. */
function constantPhase(ny: number, nx: number): ComplexArray {
  const image = complexZeros([2, ny, nx]);
  for (let i = 0; i < 2 * ny * nx; i += 1) {
    const [y, x] = [Math.floor(i / nx) % ny, i % nx];
    const value = 3 + Math.cos((2 * Math.PI * (3 * x)) / nx + y) + Math.sin((2 * Math.PI * (7 * x + 2 * y)) / nx);
    const phase = i < ny * nx ? 0.7 : -2;
    image.data[2 * i] = value * Math.cos(phase);
    image.data[2 * i + 1] = value * Math.sin(phase);
  }
  return image;
}

describe.each([
  { name: 'the first columns', shape: [12, 32], axis: 'x', range: [0, 21] },
  { name: 'the last columns', shape: [12, 32], axis: 'x', range: [11, 32] },
  { name: 'the last columns of an odd number', shape: [12, 33], axis: 'x', range: [11, 33] },
] as const)('of $name, an image of constant phase', ({ shape: [ny, nx], range: [first, end] }) => {
  const image = constantPhase(ny, nx);
  const mask = columns(nx, first, end);
  const sampling = oneSidedSampling(mask, [ny, nx]);

  test('is exact by homodyne', async () => {
    const x = await homodyne(await zeroFilled(await fft2(image), mask), sampling);
    expect(relativeError(x.data, image.data)).toBeLessThan(2e-6);
  });

  test('is reached by projections', async () => {
    const { x, stop, change } = await pocs(await zeroFilled(await fft2(image), mask), sampling, {
      tolerance: 1e-6,
      maxIterations: 60,
    });
    // The error is the sum of the changes to come, which fall by a tenth or more each time.
    expect(relativeError(x.data, image.data)).toBeLessThan(2e-5);
    expect(stop).toBe('tolerance');
    expect(change).toBeLessThanOrEqual(1e-6);
  });
});

test('rows do as columns', async () => {
  const image = constantPhase(12, 32);
  const turned = (x: ComplexArray): ComplexArray => {
    const [, ny, nx] = x.shape;
    const y = complexZeros([2, nx, ny]);
    for (let i = 0; i < 2 * ny * nx; i += 1) {
      const [c, r, k] = [Math.floor(i / (ny * nx)), Math.floor(i / nx) % ny, i % nx];
      const to = 2 * ((c * nx + k) * ny + r);
      y.data.set(x.data.subarray(2 * i, 2 * i + 2), to);
    }
    return y;
  };
  for (const complete of [homodyne, async (...given: Parameters<typeof pocs>) => (await pocs(...given)).x]) {
    const along = await complete(image, { axis: 'x', first: 0, end: 20 });
    const across = await complete(turned(image), { axis: 'y', first: 0, end: 20 });
    expect(relativeError(across.data, turned(along).data)).toBeLessThan(1e-6);
  }
});

test('projections keep the measured samples', async () => {
  const kspace = noise([3, 16, 24], 5);
  const mask = columns(24, 0, 17);
  const { x } = await pocs(await zeroFilled(kspace, mask), oneSidedSampling(mask, [16, 24]), {
    maxIterations: 5,
    tolerance: 0,
  });
  const measured = new Mask(mask, kspace.shape);
  const wanted = await measured.apply(kspace);
  expect(relativeError((await measured.apply(await fft2(x))).data, wanted.data)).toBeLessThan(1e-6);
});

test('is bit-equal for any number of threads, and leaves its input', async () => {
  const images = noise([3, 20, 24], 6);
  const sampling = { axis: 'x', first: 0, end: 17 } as const;
  const one = [await homodyne(images, sampling, { threads: 1 }), (await pocs(images, sampling, { threads: 1 })).x];
  const three = [await homodyne(images, sampling, { threads: 3 }), (await pocs(images, sampling, { threads: 3 })).x];
  for (const [i, { data }] of one.entries()) expect(sameBits(data, three[i].data)).toBe(true);
  expect(sameBits(images.data, noise([3, 20, 24], 6).data)).toBe(true);
});

describeShared('real scans cut to a part of their lines', () => {
  /** Error of the root sum of squares against that of all lines. */
  const error = (images: ComplexArray, full: ComplexArray): number => {
    const plane = full.shape[1] * full.shape[2];
    const combined = ({ data }: ComplexArray): Float64Array =>
      Float64Array.from({ length: plane }, (_, p) => {
        let energy = 0;
        for (let i = 2 * p; i < data.length; i += 2 * plane) energy += data[i] ** 2 + data[i + 1] ** 2;
        return Math.sqrt(energy);
      });
    return relativeError(combined(images), combined(full));
  };

  // The single coil has a signal to noise ratio of 6, and the reference holds that noise: only where much is missing can anything come nearer, homodyne hardly.
  test.each([
    ['brain_pd_8ch', 9 / 16, 0.6, 0.4],
    ['brain_pd_8ch', 5 / 8, 0.65, 0.5],
    ['brain_pd_8ch', 6 / 8, 0.9, 0.7],
    ['brain_t1_sag_1ch', 9 / 16, 1, 0.85],
  ])('%s, %d: errors below those of zero-filling', async (name, fraction, homodyneShare, pocsShare) => {
    await using scan = await openScan(shared(`data/${name}.h5`));
    const kspace = await scan.readKspace(0);
    const [, ny, nx] = kspace.shape;
    const full = await ifft2(kspace);
    for (const mask of [
      columns(nx, 0, Math.round(fraction * nx) + 1),
      columns(nx, nx - Math.round(fraction * nx), nx),
    ]) {
      const cut = await zeroFilled(kspace, mask);
      const sampling = oneSidedSampling(mask, [ny, nx]);
      const errors = [cut, await homodyne(cut, sampling), (await pocs(cut, sampling)).x].map((x) => error(x, full));
      expect(errors[1]).toBeLessThan(homodyneShare * errors[0]);
      expect(errors[2]).toBeLessThan(pocsShare * errors[0]);
    }
  });
});

test('refuses what makes no sense', async () => {
  const images = noise([2, 8, 16], 1);
  await expect(homodyne(images, { axis: 'x', first: 9, end: 16 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  await expect(pocs(images, { axis: 'y', first: 0, end: 9 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  await expect(pocs(images, { axis: 'x', first: 0, end: 12 }, { maxIterations: 0 })).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
  });
  images.data[7] = Number.NaN;
  await expect(homodyne(images, { axis: 'x', first: 0, end: 12 })).rejects.toMatchObject({ code: 'ERR_NOT_FINITE' });
});
