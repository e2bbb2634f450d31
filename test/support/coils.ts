// Coils with sensitivities in closed form, and comparisons of maps pixel by pixel.
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';

const DEGREE = 1; // of the sensitivities as trigonometric polynomials: their patches then obey the theory exactly

/** Coils whose sensitivities are trigonometric polynomials, around a random object: k-space by convolution, maps in closed form. */
export function polynomialCoils(
  coils: number,
  ny: number,
  nx: number,
  seed: number,
): { kspace: ComplexArray; maps: ComplexArray } {
  const random = new MT19937(seed);
  const draw = (n: number) => Float64Array.from({ length: 2 * n }, () => random.uniform(-1, 1));
  const width = 2 * DEGREE + 1;
  const object = draw(ny * nx);
  const coefficients = draw(coils * width * width);
  const kspace = complexZeros([coils, ny, nx]);
  const maps = complexZeros([coils, ny, nx]);
  for (let c = 0; c < coils; c += 1)
    for (let dy = -DEGREE; dy <= DEGREE; dy += 1)
      for (let dx = -DEGREE; dx <= DEGREE; dx += 1) {
        const a = 2 * ((c * width + dy + DEGREE) * width + dx + DEGREE);
        const [ar, ai] = [coefficients[a], coefficients[a + 1]];
        for (let y = 0; y < ny; y += 1)
          for (let x = 0; x < nx; x += 1) {
            const k = 2 * (((y - dy + ny) % ny) * nx + ((x - dx + nx) % nx));
            const to = 2 * ((c * ny + y) * nx + x);
            kspace.data[to] += ar * object[k] - ai * object[k + 1];
            kspace.data[to + 1] += ar * object[k + 1] + ai * object[k];
            const angle = 2 * Math.PI * ((dy * (y - Math.floor(ny / 2))) / ny + (dx * (x - Math.floor(nx / 2))) / nx);
            maps.data[to] += ar * Math.cos(angle) - ai * Math.sin(angle);
            maps.data[to + 1] += ar * Math.sin(angle) + ai * Math.cos(angle);
          }
      }
  return { kspace, maps };
}

/** |<a, b>| / (|a| |b|) over the coils of each pixel; 0 where either vanishes. */
export function correlations(a: ComplexArray, b: ComplexArray): Float64Array {
  const [coils, ny, nx] = a.shape.slice(-3);
  const plane = ny * nx;
  return Float64Array.from({ length: plane }, (_, p) => {
    let [re, im, aa, bb] = [0, 0, 0, 0];
    for (let c = 0; c < coils; c += 1) {
      const i = 2 * (c * plane + p);
      const [ar, ai, br, bi] = [a.data[i], a.data[i + 1], b.data[i], b.data[i + 1]];
      re += ar * br + ai * bi;
      im += ar * bi - ai * br;
      aa += ar * ar + ai * ai;
      bb += br * br + bi * bi;
    }
    return aa > 0 && bb > 0 ? Math.hypot(re, im) / Math.sqrt(aa * bb) : 0;
  });
}

/** Sum over coils of |S|^2 per pixel of one set. */
export function energy(maps: ComplexArray, set = 0): Float64Array {
  const [coils, ny, nx] = maps.shape.slice(-3);
  const plane = ny * nx;
  return Float64Array.from({ length: plane }, (_, p) => {
    let sum = 0;
    for (let c = 0; c < coils; c += 1) {
      const i = 2 * ((set * coils + c) * plane + p);
      sum += maps.data[i] ** 2 + maps.data[i + 1] ** 2;
    }
    return sum;
  });
}

export const mean = (values: Iterable<number>): number => {
  const list = [...values];
  return list.reduce((sum, value) => sum + value, 0) / list.length;
};
