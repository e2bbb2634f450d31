import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros, points } from '#larmor/arrays/complex-array.js';
import { Wavelet } from '#larmor/operators/wavelet.js';
import { noise, norm, relativeError } from '../support/complex.js';

/** Four taps and four levels in float32. */
const TOLERANCE = 1e-6;

/** Taps on samples 2i - 2 to 2i + 1, from the closed form of Daubechies' filter. */
const LOW = [1 + Math.sqrt(3), 3 + Math.sqrt(3), 3 - Math.sqrt(3), 1 - Math.sqrt(3)].map((c) => c / (4 * Math.SQRT2));
const HIGH = [LOW[3], -LOW[2], LOW[1], -LOW[0]];

/** One level along one axis of n samples, as a matrix from its definition. */
function levelMatrix(n: number): number[][] {
  const pairs = Math.floor(n / 2);
  const rows = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let i = 0; i < pairs; i += 1)
    for (let k = 0; k < 4; k += 1) {
      const column = (2 * (i + pairs) + k - 2) % (2 * pairs);
      rows[i][column] += LOW[k];
      rows[n - pairs + i][column] += HIGH[k];
    }
  if (n % 2 === 1) rows[pairs][n - 1] = 1;
  return rows;
}

/** One level of a real or imaginary part [ny, nx]. */
function directLevel(x: number[][]): number[][] {
  const [vertical, horizontal] = [levelMatrix(x.length), levelMatrix(x[0].length)];
  const half = vertical.map((row) => x[0].map((_, c) => row.reduce((sum, weight, y) => sum + weight * x[y][c], 0)));
  return half.map((line) => horizontal.map((row) => row.reduce((sum, weight, i) => sum + weight * line[i], 0)));
}

function part({ data, shape: [ny, nx] }: ComplexArray, offset: number): number[][] {
  return Array.from({ length: ny }, (_, y) => Array.from({ length: nx }, (_, x) => data[2 * (y * nx + x) + offset]));
}

test.each([[[32, 40]], [[33, 47]], [[64, 34]]])('one level of Daubechies-4 is its definition at %j', async (shape) => {
  const x = noise(shape, 5);
  const got = await new Wavelet(shape, { levels: 1 }).apply(x);
  for (const offset of [0, 1])
    expect(relativeError(part(got, offset).flat(), directLevel(part(x, offset)).flat())).toBeLessThan(TOLERANCE);
});

describe('W is orthogonal', () => {
  const shapes = [
    [320, 320],
    [101, 64],
    [2, 131, 77],
    [7, 5],
    [1, 40],
    [40, 1],
    [1, 1],
    [2, 2],
    [640, 368],
    [33, 33],
  ];
  const settings = [{}, { wavelet: 'haar' }, { levels: 3 }, { levels: 20 }] as const;
  test.each(shapes.flatMap((shape) => settings.map((options) => ({ shape, options }))))(
    '$shape, $options',
    async ({ shape, options }) => {
      const W = new Wavelet(shape, options);
      const x = noise(shape, 6);
      const coefficients = await W.apply(x);
      expect(relativeError((await W.adjoint(coefficients)).data, x.data)).toBeLessThan(TOLERANCE);
      expect(relativeError((await W.apply(await W.adjoint(x))).data, x.data)).toBeLessThan(TOLERANCE);
      expect(Math.abs(norm(coefficients.data) / norm(x.data) - 1)).toBeLessThan(TOLERANCE);
    },
  );
});

test("Haar's coefficients are sums and differences of two by two pixels", async () => {
  const x = { data: Float32Array.from([1, 0, 2, 0, 5, 0, 11, 0]), shape: [2, 2] };
  const { data } = await new Wavelet([2, 2], { wavelet: 'haar', levels: 1 }).apply(x);
  const wanted = [1 + 2 + 5 + 11, 1 - 2 + 5 - 11, 1 + 2 - 5 - 11, 1 - 2 - 5 + 11].flatMap((sum) => [sum / 2, 0]);
  expect(relativeError(data, wanted)).toBeLessThan(TOLERANCE);
});

test('Daubechies-4 has two vanishing moments: a ramp leaves no details but at the seam', async () => {
  const x = complexZeros([64, 64]);
  for (let i = 0; i < points(x.shape); i += 1) x.data[2 * i] = 3 + 2 * Math.floor(i / 64) - (i % 64);
  const { data } = await new Wavelet([64, 64], { levels: 1 }).apply(x);
  for (let row = 1; row < 64; row += 1)
    for (let column = 33; column < 64; column += 1)
      if (row !== 32) expect(Math.abs(data[2 * (row * 64 + column)])).toBeLessThan(3e-5);
});

test('splits an axis as long as its coarse half keeps 16 samples', async () => {
  const x = { data: new Float32Array(2 * 128 * 33).fill(1), shape: [128, 33] };
  const { data } = await new Wavelet([128, 33], { wavelet: 'haar' }).apply(x);
  // Constant rows: 128 -> 16 in three levels along y; 33 -> 17 in one along x, whose last column is carried.
  expect(data[0]).toBeCloseTo(2 * Math.SQRT2 * Math.SQRT2, 5);
  expect(data[2 * 16]).toBeCloseTo(2 * Math.SQRT2, 5);
  expect(Math.abs(data[2 * 17])).toBeLessThan(1e-6);
  expect(Math.abs(data[2 * 16 * 33])).toBeLessThan(1e-6);
});

test('refuses unknown wavelets, levels and shapes', () => {
  expect(() => new Wavelet([8, 8], { wavelet: 'symlet' as 'haar' })).toThrow(/haar, daubechies-4, got symlet/);
  for (const levels of [0, 1.5, Number.NaN])
    expect(() => new Wavelet([8, 8], { levels })).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  expect(() => new Wavelet([8])).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }));
});
