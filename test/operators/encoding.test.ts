import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros, type Shape } from '#larmor/arrays/complex-array.js';
import { Coils } from '#larmor/operators/coils.js';
import { compose } from '#larmor/operators/compose.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { Fft2 } from '#larmor/operators/fft2.js';
import { Mask } from '#larmor/operators/mask.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';
import { directDft2, noise, relativeError } from '../support/complex.js';
import { lineMask, pointMask } from '../support/masks.js';

const TOLERANCE = 1e-6;

const fullMask = (columns: number): SamplingMask => ({ data: new Uint8Array(columns).fill(1), shape: [columns] });

const cases: readonly { name: string; maps: Shape; mask: SamplingMask }[] = [
  { name: 'columns', maps: [6, 40, 37], mask: lineMask(37) },
  { name: 'points', maps: [6, 40, 37], mask: pointMask(40, 37) },
  { name: 'every column', maps: [3, 16, 32], mask: fullMask(32) },
  { name: 'two sets, columns', maps: [2, 5, 29, 48], mask: lineMask(48) },
  { name: 'two sets, points', maps: [2, 5, 29, 48], mask: pointMask(29, 48) },
  { name: 'more coils than pass at once', maps: [12, 320, 101], mask: lineMask(101) },
];

describe.each(cases)('EncodingOperator: $name', ({ maps: shape, mask }) => {
  const maps = noise(shape, 21);
  const kspace = shape.slice(-3);
  const fused = new EncodingOperator({ maps, mask });
  const composed = compose(new Mask(mask, kspace), new Fft2(kspace), new Coils(maps));

  test('equals mask, fft2 and coils one after the other', async () => {
    const x = noise(fused.domain, 22);
    const y = noise(fused.codomain, 23);
    expect(relativeError((await fused.apply(x)).data, (await composed.apply(x)).data)).toBeLessThan(TOLERANCE);
    expect(relativeError((await fused.adjoint(y)).data, (await composed.adjoint(y)).data)).toBeLessThan(TOLERANCE);
    expect(relativeError((await fused.normal(x)).data, (await composed.normal(x)).data)).toBeLessThan(TOLERANCE);
  });
});

test('equals its formula in double precision', async () => {
  const [coils, ny, nx] = [3, 9, 14];
  const maps = noise([coils, ny, nx], 24);
  const x = noise([ny, nx], 25);
  const mask = pointMask(ny, nx);
  const weighted = complexZeros([coils, ny, nx]);
  for (let i = 0; i < coils * ny * nx; i++) {
    const at = 2 * (i % (ny * nx));
    const [sre, sim, re, im] = [maps.data[2 * i], maps.data[2 * i + 1], x.data[at], x.data[at + 1]];
    weighted.data[2 * i] = sre * re - sim * im;
    weighted.data[2 * i + 1] = sre * im + sim * re;
  }
  const want = directDft2(weighted).map((value, i) => value * mask.data[Math.floor(i / 2) % (ny * nx)]);
  const y = await new EncodingOperator({ maps, mask }).apply(x);
  expect(relativeError(y.data, want)).toBeLessThan(TOLERANCE);
});

test('one coil of ones and full sampling is the plain transform', async () => {
  const maps = complexZeros([1, 12, 15]);
  for (let i = 0; i < maps.data.length; i += 2) maps.data[i] = 1;
  const A = new EncodingOperator({ maps, mask: fullMask(15) });
  const x = noise([12, 15], 26);
  expect(relativeError((await A.apply(x)).data, directDft2(x))).toBeLessThan(TOLERANCE);
  expect(relativeError((await A.normal(x)).data, x.data)).toBeLessThan(TOLERANCE);
});

test('does not let unsampled values through, finite or not', async () => {
  const maps = noise([2, 10, 12], 27);
  const mask = lineMask(12);
  const A = new EncodingOperator({ maps, mask });
  const y = noise([2, 10, 12], 28);
  const dirty: ComplexArray = { data: Float32Array.from(y.data), shape: y.shape };
  for (let i = 0; i < dirty.data.length; i++) if (mask.data[Math.floor(i / 2) % 12] === 0) dirty.data[i] = Number.NaN;
  expect((await A.adjoint(dirty)).data).toEqual((await A.adjoint(y)).data);
});

describe('EncodingOperator rejects', () => {
  const maps = noise([2, 6, 8], 29);
  const of = (data: number[], shape: SamplingMask['shape']): SamplingMask => ({ data: Uint8Array.from(data), shape });

  test.each([
    ['a mask of another length', of([1, 0, 1], [3])],
    ['a mask of other rows', of(new Array(40).fill(1), [5, 8])],
    ['a mask whose data and shape disagree', of([1, 1], [8])],
    ['a mask that samples nothing', of(new Array(8).fill(0), [8])],
    ['a mask of other values than 0 and 1', of([2, 1, 0, 0, 0, 0, 0, 0], [8])],
  ])('%s with ERR_MASK', (_, mask) => {
    expect(() => new EncodingOperator({ maps, mask })).toThrow(expect.objectContaining({ code: 'ERR_MASK' }));
  });

  test('maps of another rank with ERR_SHAPE', () => {
    expect(() => new EncodingOperator({ maps: noise([6, 8], 1), mask: lineMask(8) })).toThrow(
      expect.objectContaining({ code: 'ERR_SHAPE' }),
    );
  });

  test('maps that are not finite with ERR_NOT_FINITE', () => {
    const bad = noise([2, 6, 8], 29);
    bad.data[17] = Number.NaN;
    expect(() => new EncodingOperator({ maps: bad, mask: lineMask(8) })).toThrow(
      expect.objectContaining({ code: 'ERR_NOT_FINITE' }),
    );
  });
});
