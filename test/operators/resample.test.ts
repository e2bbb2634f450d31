import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { fft2 } from '#larmor/operators/fft2.js';
import { Resample } from '#larmor/operators/resample.js';
import { relativeError } from '../support/complex.js';

/** A sum of low frequencies, known at every place: pixel y of n lies at (y - floor(n / 2)) / n of the field of view. */
function wave(ny: number, nx: number): ComplexArray {
  const image = complexZeros([ny, nx]);
  for (let y = 0; y < ny; y += 1)
    for (let x = 0; x < nx; x += 1) {
      const [v, u] = [(y - Math.floor(ny / 2)) / ny, (x - Math.floor(nx / 2)) / nx];
      const at = 2 * (y * nx + x);
      image.data[at] = 3 + Math.cos(2 * Math.PI * (2 * v - 3 * u));
      image.data[at + 1] = Math.sin(2 * Math.PI * (v + 4 * u)) - 1;
    }
  return image;
}

test.each([
  [
    [16, 20],
    [32, 40],
  ],
  [
    [16, 20],
    [17, 31],
  ],
  [
    [15, 21],
    [15, 22],
  ],
  [
    [15, 21],
    [64, 96],
  ],
])('interpolates %j to %j exactly where no higher frequency is', async ([ny, nx], [my, mx]) => {
  const { data, shape } = await new Resample([ny, nx], { size: [my, mx] }).apply(wave(ny, nx));
  expect(shape).toEqual([my, mx]);
  expect(relativeError(data, wave(my, mx).data)).toBeLessThan(1e-6);
});

test('weighs k-space by the window along both axes', async () => {
  const image = wave(16, 16);
  const { data } = await new Resample([16, 16], { window: { type: 'gaussian', width: 0.5 } }).apply(image);
  const [before, after] = [await fft2(image), await fft2({ data, shape: [16, 16] })];
  const at = 2 * ((8 + 2) * 16 + (8 - 3)); // of the wave 2 v - 3 u
  const weight = 2 ** -((2 / 4) ** 2) * 2 ** -((3 / 4) ** 2);
  expect(after.data[at] / before.data[at]).toBeCloseTo(weight, 5);
});

describe('Gibbs ringing of a disc', () => {
  const [FINE, COARSE, RADIUS, EDGE] = [512, 64, 0.3, 3];

  /** The central COARSE x COARSE samples of k-space of a disc of value 1 drawn FINE x FINE, as an image. */
  async function truncatedDisc(): Promise<ComplexArray> {
    const drawn = complexZeros([FINE, FINE]);
    for (let y = 0; y < FINE; y += 1)
      for (let x = 0; x < FINE; x += 1)
        if (Math.hypot(y - FINE / 2, x - FINE / 2) < RADIUS * FINE)
          drawn.data[2 * (y * FINE + x)] = (COARSE / FINE) ** 2;
    return await new Resample([COARSE, COARSE], { size: [FINE, FINE] }).adjoint(drawn);
  }

  /** Largest error more than EDGE pixels from the edge of the disc. */
  function ringing({ data }: ComplexArray): number {
    let most = 0;
    for (let y = 0; y < COARSE; y += 1)
      for (let x = 0; x < COARSE; x += 1) {
        const distance = Math.hypot(y - COARSE / 2, x - COARSE / 2) - RADIUS * COARSE;
        const error = Math.abs(
          Math.hypot(data[2 * (y * COARSE + x)], data[2 * (y * COARSE + x) + 1]) - (distance < 0 ? 1 : 0),
        );
        if (Math.abs(distance) > EDGE) most = Math.max(most, error);
      }
    return most;
  }

  // 3.6 % without a window.
  test.each([
    ['hann', 15],
    ['gaussian', 4],
    ['fermi', 1.7],
    ['tukey', 1.6],
  ] as const)('%s lessens it by a factor of %d', async (type, factor) => {
    const disc = await truncatedDisc();
    const filtered = await new Resample([COARSE, COARSE], { window: { type } }).apply(disc);
    expect(ringing(disc) / ringing(filtered)).toBeGreaterThan(factor);
  });
});

test('refuses sizes below that of the images', () => {
  const refused = expect.objectContaining({ code: 'ERR_SHAPE' });
  expect(() => new Resample([8, 8], { size: [8, 7] })).toThrow(refused);
  expect(() => new Resample([8])).toThrow(refused);
});
