// Simulated coils.
import { describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { CoilArray } from '#larmor/simulation/coils.js';

describe('coil maps', () => {
  test.each([1, 4, 8, 13, 32])('%i coils: unit norm, smooth, all different', async (coils) => {
    const size = 48;
    const { data, shape } = await new CoilArray(new MT19937(coils), coils).maps(size, 0.1);
    expect(shape).toEqual([coils, size, size]);
    const plane = size * size;
    const at = (coil: number, pixel: number): [number, number] => [
      data[2 * (coil * plane + pixel)],
      data[2 * (coil * plane + pixel) + 1],
    ];
    let worst = 0;
    for (let pixel = 0; pixel < plane; ++pixel) {
      let norm = 0;
      for (let coil = 0; coil < coils; ++coil) norm += at(coil, pixel)[0] ** 2 + at(coil, pixel)[1] ** 2;
      worst = Math.max(worst, Math.abs(norm - 1));
    }
    expect(worst).toBeLessThan(1e-5);
    // Within the object, at half the field of view, sensitivities change by little from pixel to pixel.
    let step = 0;
    for (let y = 12; y < 36; ++y)
      for (let x = 12; x < 36; ++x)
        for (let coil = 0; coil < coils; ++coil) {
          const [re, im] = at(coil, y * size + x);
          const [nextRe, nextIm] = at(coil, y * size + x + 1);
          step = Math.max(step, Math.hypot(nextRe - re, nextIm - im));
        }
    expect(step).toBeLessThan(0.15);
    for (let a = 0; a < coils; ++a)
      for (let b = 0; b < a; ++b) {
        let [re, im, aa, bb] = [0, 0, 0, 0];
        for (let pixel = 0; pixel < plane; ++pixel) {
          const [p, q] = at(a, pixel);
          const [r, s] = at(b, pixel);
          re += p * r + q * s;
          im += q * r - p * s;
          aa += p * p + q * q;
          bb += r * r + s * s;
        }
        expect(Math.hypot(re, im) / Math.sqrt(aa * bb)).toBeLessThan(0.97);
      }
  });

  test('are one function of space, whatever the grid', async () => {
    const coils = new CoilArray(new MT19937(9), 3);
    const coarse = await coils.maps(16, 0);
    const fine = await coils.maps(32, 0);
    const thinned = coarse.data.map((_, i) => {
      const [part, x, y] = [i % 2, (i >> 1) % 16, (i >> 5) % 16];
      return fine.data[2 * (((i >> 9) * 32 + 2 * y) * 32 + 2 * x) + part];
    });
    expect(coarse.data).toEqual(thinned);
  });
});
