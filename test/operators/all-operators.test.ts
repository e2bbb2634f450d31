// Every linear operator keeps the same promises.
import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { Coils } from '#larmor/operators/coils.js';
import { compose } from '#larmor/operators/compose.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { Fft1 } from '#larmor/operators/fft1.js';
import { Fft2 } from '#larmor/operators/fft2.js';
import { FiniteDifferences } from '#larmor/operators/finite-differences.js';
import type { LinearOperator } from '#larmor/operators/linear-operator.js';
import { Mask } from '#larmor/operators/mask.js';
import { Resample } from '#larmor/operators/resample.js';
import { Wavelet } from '#larmor/operators/wavelet.js';
import { sameBits } from '../support/bits.js';
import { inner, noise, norm, relativeError } from '../support/complex.js';
import { lineMask, pointMask } from '../support/masks.js';

const allOperators: readonly { name: string; make: () => LinearOperator }[] = [
  { name: 'Fft2', make: () => new Fft2([3, 20, 23]) },
  { name: 'Fft1 of a middle axis', make: () => new Fft1([3, 20, 23], 1) },
  { name: 'Fft1 of the last axis', make: () => new Fft1([5, 23], 1) },
  { name: 'Mask of columns', make: () => new Mask(lineMask(22), [3, 19, 22]) },
  { name: 'Mask of points', make: () => new Mask(pointMask(19, 22), [3, 19, 22]) },
  { name: 'Coils', make: () => new Coils(noise([5, 18, 21], 2)) },
  { name: 'Coils, two sets', make: () => new Coils(noise([2, 5, 18, 21], 2)) },
  { name: 'Wavelet', make: () => new Wavelet([2, 64, 96]) },
  { name: 'Wavelet, odd sides', make: () => new Wavelet([2, 131, 37], { wavelet: 'haar', levels: 4 }) },
  { name: 'FiniteDifferences', make: () => new FiniteDifferences([2, 19, 23]) },
  { name: 'Resample', make: () => new Resample([2, 19, 24], { size: [32, 35], window: { type: 'fermi' } }) },
  {
    name: 'compose',
    make: () => compose(new Mask(lineMask(24), [4, 17, 24]), new Fft2([4, 17, 24]), new Coils(noise([4, 17, 24], 4))),
  },
  {
    name: 'EncodingOperator, columns',
    make: () => new EncodingOperator({ maps: noise([5, 26, 35], 5), mask: lineMask(35) }),
  },
  {
    name: 'EncodingOperator, points',
    make: () => new EncodingOperator({ maps: noise([5, 26, 35], 5), mask: pointMask(26, 35) }),
  },
  {
    name: 'EncodingOperator, two sets',
    make: () => new EncodingOperator({ maps: noise([2, 3, 40, 33], 6), mask: lineMask(33) }),
  },
  {
    name: 'EncodingOperator, two sets, points',
    make: () => new EncodingOperator({ maps: noise([2, 3, 40, 33], 6), mask: pointMask(40, 33) }),
  },
];

/** Float32 arithmetic on sums of some thousand samples. */
const TOLERANCE = 1e-6;

/** a x + y for a = re + i im. */
function combine(re: number, im: number, x: ComplexArray, y: ComplexArray): ComplexArray {
  const data = Float32Array.from(x.data, (value, i) =>
    i % 2 === 0 ? re * value - im * x.data[i + 1] + y.data[i] : re * value + im * x.data[i - 1] + y.data[i],
  );
  return { data, shape: x.shape };
}

describe.each(allOperators)('$name', ({ make }) => {
  test('is linear', async () => {
    const A = make();
    const [x, y] = [noise(A.domain, 11), noise(A.domain, 12)];
    const together = await A.apply(combine(1.5, -0.75, x, y));
    const apart = combine(1.5, -0.75, await A.apply(x), await A.apply(y));
    expect(relativeError(together.data, apart.data)).toBeLessThan(TOLERANCE);
  });

  test('adjoint: <Ax, y> = <x, Aᴴy>', async () => {
    const A = make();
    const [x, y] = [noise(A.domain, 13), noise(A.codomain, 14)];
    const Ax = await A.apply(x);
    const left = inner(Ax, y);
    const right = inner(x, await A.adjoint(y));
    const scale = norm(Ax.data) * norm(y.data);
    expect(Math.hypot(left.re - right.re, left.im - right.im) / scale).toBeLessThan(TOLERANCE);
  });

  test('normal equals adjoint of apply', async () => {
    const A = make();
    const x = noise(A.domain, 15);
    const want = await A.adjoint(await A.apply(x));
    expect(relativeError((await A.normal(x)).data, want.data)).toBeLessThan(TOLERANCE);
  });

  test('results are bit-equal for any thread count, and the input stays', async () => {
    const A = make();
    const [x, y] = [noise(A.domain, 16), noise(A.codomain, 17)];
    const results = async (threads: number): Promise<ComplexArray[]> => [
      await A.apply(x, { threads }),
      await A.adjoint(y, { threads }),
      await A.normal(x, { threads }),
    ];
    const one = await results(1);
    for (const threads of [2, 3])
      (await results(threads)).forEach(({ data }, i) => {
        expect(sameBits(data, one[i].data)).toBe(true);
      });
    expect(sameBits(x.data, noise(A.domain, 16).data)).toBe(true);
  });

  test('rejects a wrong shape with ERR_SHAPE', async () => {
    const A = make();
    const wrong = complexZeros([2, 3]);
    const short = { data: new Float32Array(4), shape: A.domain };
    for (const call of [A.apply(wrong), A.adjoint(wrong), A.normal(wrong), A.apply(short)])
      await expect(call).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  });
});
