import { describe, expect, test } from 'vitest';
import { type ComplexArray, points } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';
import { conjugateGradient } from '#larmor/solvers/conjugate-gradients.js';
import { cgSense, dataConsistency } from '#larmor/solvers/sense.js';
import { BART_FIXTURES, bartFixture } from '../support/bart.js';
import { sameBits } from '../support/bits.js';
import { norm } from '../support/complex.js';
import { unitMaps } from '../support/maps.js';
import { misfit } from '../support/misfit.js';
import { describeShared } from '../support/shared.js';

const random = new MT19937(11);
const normal = (shape: readonly number[]): ComplexArray => ({
  data: Float32Array.from({ length: 2 * points(shape) }, () => random.normal()),
  shape,
});

const distance = (a: ComplexArray, b: ComplexArray): number => {
  let [difference, energy] = [0, 0];
  a.data.forEach((value, i) => {
    difference += (value - b.data[i]) ** 2;
    energy += b.data[i] ** 2;
  });
  return Math.sqrt(difference / energy);
};

const lines = (n: number): SamplingMask => ({ data: new Uint8Array(n).map(() => random.integer(0, 2)), shape: [n] });
const full = (n: number): SamplingMask => ({ data: new Uint8Array(n).fill(1), shape: [n] });

describeShared('cgSense against BART', () => {
  test.each(BART_FIXTURES)('%s', async (name) => {
    const { kspace, maps, mask, cgSense: wanted } = await bartFixture(name);
    const { x, iterations } = await cgSense(kspace, { maps, mask }, { lambda: 0.001, maxIterations: 30, tolerance: 0 });
    expect(iterations).toBe(30);
    expect(distance(x, wanted)).toBeLessThan(1e-4);
    const objective = async (image: ComplexArray): Promise<number> =>
      (await misfit(image, kspace, { maps, mask })) / 2 + (0.001 / 2) * norm(image.data) ** 2;
    expect((await objective(x)) / (await objective(wanted))).toBeLessThan(1.0001);
  });
});

describe.each([
  { name: 'lines', maps: [4, 18, 25], mask: lines(25) },
  { name: 'points', maps: [3, 16, 21], mask: { data: lines(16 * 21).data, shape: [16, 21] } as SamplingMask },
  { name: 'two sets', maps: [2, 5, 20, 16], mask: lines(16) },
])('cgSense, $name', ({ maps: shape, mask }) => {
  const maps = unitMaps(shape, 1);
  const encoding = new EncodingOperator({ maps, mask });

  test('takes the steps of the general solver with the encoding operator', async () => {
    const kspace = normal(encoding.codomain);
    const settings = { lambda: 0.01, maxIterations: 12, tolerance: 1e-9 };
    const mine = await cgSense(kspace, { maps, mask }, settings);
    const theirs = await conjugateGradient((x) => encoding.normal(x), await encoding.adjoint(kspace), settings);
    expect(mine.x.shape).toEqual(encoding.domain);
    expect(mine.iterations).toBe(theirs.iterations);
    expect(distance(mine.x, theirs.x)).toBeLessThan(1e-5);
    expect(Math.abs(mine.residual - theirs.residual)).toBeLessThan(1e-5);
  });

  test('solves the normal equations', async () => {
    const kspace = normal(encoding.codomain);
    const prior = normal(encoding.domain);
    const { x, stop } = await dataConsistency(prior, kspace, { maps, mask }, { mu: 0.5, iterations: 60 });
    expect(stop).toBe('tolerance');
    const [left, right] = [await encoding.normal(x), await encoding.adjoint(kspace)];
    left.data.forEach((value, i) => {
      left.data[i] = value + 0.5 * x.data[i];
      right.data[i] += 0.5 * prior.data[i];
    });
    expect(distance(left, right)).toBeLessThan(3e-6);
  });

  test('is bit-equal for any number of threads', async () => {
    const kspace = normal(encoding.codomain);
    const results = await Promise.all([1, 2, 5].map((threads) => cgSense(kspace, { maps, mask }, { threads })));
    for (const { x } of results) expect(sameBits(x.data, results[0].x.data)).toBe(true);
  });
});

describe('with full sampling', () => {
  const maps = unitMaps([4, 12, 10], 2);
  const mask = full(10);
  const encoding = new EncodingOperator({ maps, mask });

  test('cgSense returns the image, shrunk by lambda', async () => {
    const image = normal([12, 10]);
    const { x, stop } = await cgSense(await encoding.apply(image), { maps, mask }, { lambda: 0.25 });
    expect(stop).toBe('tolerance');
    const wanted = { data: image.data.map((value) => value / 1.25), shape: image.shape };
    expect(distance(x, wanted)).toBeLessThan(1e-6);
  });

  test('dataConsistency weighs measured and given image as 1 to mu', async () => {
    const [measured, image] = [normal([12, 10]), normal([12, 10])];
    const { x } = await dataConsistency(image, await encoding.apply(measured), { maps, mask }, { mu: 0.1 });
    const wanted = { data: measured.data.map((value, i) => (value + 0.1 * image.data[i]) / 1.1), shape: image.shape };
    expect(distance(x, wanted)).toBeLessThan(1e-6);
  });
});

describe('cgSense refuses', () => {
  const maps = unitMaps([2, 8, 8], 3);
  const mask = full(8);
  const kspace = normal([2, 8, 8]);

  test('k-space that is not finite', async () => {
    const bad = { data: kspace.data.slice(), shape: kspace.shape };
    bad.data[5] = Number.POSITIVE_INFINITY;
    await expect(cgSense(bad, { maps, mask })).rejects.toMatchObject({ code: 'ERR_NOT_FINITE' });
  });

  test('k-space too large for single precision', async () => {
    const huge = { data: kspace.data.map(() => 1e38), shape: kspace.shape };
    await expect(cgSense(huge, { maps, mask })).rejects.toMatchObject({ code: 'ERR_DIVERGED' });
  });

  test('shapes, masks and options that do not fit', async () => {
    await expect(cgSense(normal([3, 8, 8]), { maps, mask })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    await expect(cgSense(kspace, { maps, mask: full(7) })).rejects.toMatchObject({ code: 'ERR_MASK' });
    await expect(cgSense(kspace, { maps, mask }, { lambda: Number.NaN })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    });
    await expect(cgSense(kspace, { maps, mask }, { maxIterations: 1.5 })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
    });
    await expect(dataConsistency(normal([8, 7]), kspace, { maps, mask })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    await expect(dataConsistency(normal([8, 8]), kspace, { maps, mask }, { mu: -1 })).rejects.toMatchObject({
      message: expect.stringContaining('mu'),
    });
  });

  test('to go on once aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(cgSense(kspace, { maps, mask }, { signal })).rejects.toBe(signal.reason);
  });
});
