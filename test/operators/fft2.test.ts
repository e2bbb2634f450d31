import { describe, expect, test } from 'vitest';
import { complexZeros } from '#larmor/arrays/complex-array.js';
import { fft2, ifft2 } from '#larmor/operators/fft2.js';
import { sameBits } from '../support/bits.js';
import { directDft2, noise, relativeError } from '../support/complex.js';

/** Float32 with twiddles rounded once stays below this at every length tested. */
const TOLERANCE = 1e-6;

const LENGTHS = [...Array.from({ length: 64 }, (_, i) => i + 1), 93, 127, 320, 368, 372, 396, 640, 768, 1021];

describe('fft2 against the direct DFT in double precision', () => {
  test.each(LENGTHS)('length %i, along either axis, both ways', async (n) => {
    for (const shape of [
      [3, n],
      [n, 3],
    ]) {
      const x = noise(shape, n);
      expect(relativeError((await fft2(x)).data, directDft2(x))).toBeLessThan(TOLERANCE);
      expect(relativeError((await ifft2(x)).data, directDft2(x, true))).toBeLessThan(TOLERANCE);
    }
  });

  test.each([[[1, 1]], [[2, 15, 21]], [[17, 31]], [[2, 2, 13, 101]], [[9, 22, 35]]])('shape %j', async (shape) => {
    const x = noise(shape, 7);
    expect(relativeError((await fft2(x)).data, directDft2(x))).toBeLessThan(TOLERANCE);
    expect(relativeError((await ifft2(x)).data, directDft2(x, true))).toBeLessThan(TOLERANCE);
  });
});

test.each([
  [8, 12],
  [7, 9],
])('a centred delta of %i x %i becomes a constant, and back', async (ny, nx) => {
  const delta = complexZeros([ny, nx]);
  delta.data[2 * (Math.floor(ny / 2) * nx + Math.floor(nx / 2))] = 1;
  const flat = await fft2(delta);
  for (let i = 0; i < ny * nx; i++) {
    expect(flat.data[2 * i]).toBeCloseTo(1 / Math.sqrt(ny * nx), 6);
    expect(flat.data[2 * i + 1]).toBeCloseTo(0, 6);
  }
  expect(relativeError((await ifft2(flat)).data, delta.data)).toBeLessThan(TOLERANCE);
});

test('results are bit-equal for any thread count', async () => {
  for (const shape of [
    [3, 40, 33],
    [10, 31, 368],
  ]) {
    const x = noise(shape, 3);
    const one = await fft2(x, { threads: 1 });
    for (const threads of [2, 5]) expect(sameBits((await fft2(x, { threads })).data, one.data)).toBe(true);
  }
});

test('rejects what is no stack of images', async () => {
  await expect(fft2(complexZeros([8]))).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  await expect(fft2({ data: new Float32Array(0), shape: [0, 4] })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  await expect(fft2({ data: new Float32Array(8), shape: [2, 3] })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  await expect(fft2(noise([4, 4], 1), { threads: 0 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});

test('an aborted call rejects with the reason of the signal', async () => {
  const reason = new Error('enough');
  await expect(fft2(noise([4, 4], 1), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const controller = new AbortController();
  const running = fft2(noise([200, 96, 97], 1), { signal: controller.signal });
  controller.abort(reason);
  await expect(running).rejects.toBe(reason);
});
