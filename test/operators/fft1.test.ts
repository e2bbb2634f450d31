import { expect, test } from 'vitest';
import { Fft1 } from '#larmor/operators/fft1.js';
import { directDft, noise, relativeError } from '../support/complex.js';

/** Float32 with twiddles rounded once stays below this at every length tested. */
const TOLERANCE = 1e-6;

test.each([
  [[7, 1, 1], 0],
  [[16, 33], 0],
  [[2, 31, 15], 1],
  [[40, 64], 1],
  [[3, 4, 5, 17], 3],
  [[3, 4, 5, 17], 1],
  [[9], 0],
])('of %j along axis %i is the direct DFT in double precision, both ways', async (shape, axis) => {
  const n = shape[axis];
  const stride = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const starts = Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i).filter(
    (i) => Math.floor(i / stride) % n === 0,
  );
  const x = noise(shape, 5);
  for (const inverse of [false, true]) {
    const expected = Float64Array.from(x.data);
    directDft(expected, n, stride, starts, inverse);
    const operator = new Fft1(shape, axis);
    const { data } = await (inverse ? operator.adjoint(x) : operator.apply(x));
    expect(relativeError(data, expected)).toBeLessThan(TOLERANCE);
  }
});

test('an axis that is not there and empty axes are refused', () => {
  expect(() => new Fft1([4, 5], 2)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  expect(() => new Fft1([4, 0], 0)).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }));
});
