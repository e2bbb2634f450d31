import { describe, expect, test } from 'vitest';
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { EncodingOperator, type EncodingOptions } from '#larmor/operators/encoding.js';
import { FiniteDifferences } from '#larmor/operators/finite-differences.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';
import { dataScale } from '#larmor/solvers/data-scale.js';
import { totalVariation } from '#larmor/solvers/total-variation.js';
import { BART_FIXTURES, bartFixture } from '../support/bart.js';
import { sameBits } from '../support/bits.js';
import { noise, relativeError } from '../support/complex.js';
import { lineMask, pointMask } from '../support/masks.js';
import { misfit } from '../support/misfit.js';
import { describeShared } from '../support/shared.js';

/** 1/2 ||A x - y||^2 + weight TV(x), summed in double. */
async function objective(x: ComplexArray, y: ComplexArray, model: EncodingOptions, weight: number): Promise<number> {
  const { data, shape } = await new FiniteDifferences(x.shape).apply(x);
  const plane = 2 * shape[shape.length - 2] * shape[shape.length - 1];
  let variation = 0;
  for (let set = 0; set < data.length; set += 2 * plane)
    for (let i = set; i < set + plane; i += 2)
      variation += Math.hypot(data[i], data[i + 1], data[i + plane], data[i + plane + 1]);
  return (await misfit(x, y, model)) / 2 + weight * variation;
}

describeShared('totalVariation against BART', () => {
  test.each(BART_FIXTURES)('%s: a lower value of the functional in the same number of iterations', async (name) => {
    const { kspace, maps, mask, totalVariation: wanted } = await bartFixture(name);
    const model = { maps, mask };
    const settings = { lambda: 0.002, maxIterations: 100, tolerance: 0 };
    const result = await totalVariation(kspace, model, settings);
    const weight = 0.002 * (await dataScale(kspace, mask));
    const [mine, theirs] = [
      await objective(result.x, kspace, model, weight),
      await objective(wanted, kspace, model, weight),
    ];
    expect(mine).toBeLessThan(theirs);
    expect(Math.abs(result.objective / mine - 1)).toBeLessThan(1e-4);
  });

  test('a weight that the solver cannot follow is an error, not an image', async () => {
    const { kspace, maps, mask } = await bartFixture(BART_FIXTURES[0]);
    const failure = totalVariation(kspace, { maps, mask }, { lambda: 100, maxIterations: 100 });
    await expect(failure).rejects.toMatchObject({
      code: 'ERR_DIVERGED',
      message: expect.stringMatching(/lower the weight/),
    });
  });
});

describe.each([
  { name: 'lines', maps: [3, 20, 24], mask: lineMask(24) },
  { name: 'points, two sets', maps: [2, 4, 22, 17], mask: pointMask(22, 17) },
])('totalVariation, $name', ({ maps: shape, mask }) => {
  const model = { maps: noise(shape, 21), mask };
  const encoding = new EncodingOperator(model);
  const kspace = noise(encoding.codomain, 22);

  test('ends where no direction leads down', async () => {
    const settings = { lambda: 0.1, scale: 1, maxIterations: 1500, tolerance: 0 };
    const { x, objective: least } = await totalVariation(kspace, model, settings);
    expect(x.shape).toEqual(encoding.domain);
    expect(Math.abs(least / (await objective(x, kspace, model, 0.1)) - 1)).toBeLessThan(1e-5);
    for (let seed = 30; seed < 40; seed += 1) {
      const direction = noise(encoding.domain, seed);
      for (const size of [-0.01, 0.01]) {
        const moved = { data: x.data.map((value, i) => value + size * direction.data[i]), shape: x.shape };
        expect(await objective(moved, kspace, model, 0.1)).toBeGreaterThan(least);
      }
    }
  });

  test('stops by its tolerance, or after its iterations', async () => {
    const early = await totalVariation(kspace, model, { lambda: 0.1, scale: 1, tolerance: 0.01 });
    expect(early.stop).toBe('tolerance');
    expect(early.change).toBeLessThanOrEqual(0.01);
    const late = await totalVariation(kspace, model, { lambda: 0.1, scale: 1, tolerance: 0, maxIterations: 7 });
    expect([late.stop, late.iterations]).toEqual(['iterations', 7]);
  });

  test('is bit-equal for any number of threads', async () => {
    const settings = { scale: 1, maxIterations: 12 };
    const results = await Promise.all(
      [1, 2, 5].map((threads) => totalVariation(kspace, model, { ...settings, threads })),
    );
    for (const { x } of results) expect(sameBits(x.data, results[0].x.data)).toBe(true);
  });
});

test('denoises two stripes to the closed form', async () => {
  // Stripes of 8 columns, each with two edges on the torus: their levels move towards each other by 2 lambda / 8.
  const [ny, nx, lambda] = [12, 16, 0.3];
  const image = {
    data: Float32Array.from({ length: 2 * ny * nx }, (_, i) => ((i >> 1) % nx < 8 ? 1 : 4)),
    shape: [ny, nx],
  };
  const maps = {
    data: Float32Array.from({ length: 2 * ny * nx }, (_, i) => (i % 2 === 0 ? 1 : 0)),
    shape: [1, ny, nx],
  };
  const model = { maps, mask: { data: new Uint8Array(nx).fill(1), shape: [nx] } as SamplingMask };
  const kspace = await new EncodingOperator(model).apply(image);
  const { x } = await totalVariation(kspace, model, { lambda, scale: 1, maxIterations: 200, tolerance: 0 });
  // Real and imaginary parts are equal here: the edge of 3 (1 + i) has the magnitude 3 sqrt(2).
  const shift = (2 * lambda) / 8 / Math.SQRT2;
  const wanted = image.data.map((level) => (level === 1 ? 1 + shift : 4 - shift));
  expect(relativeError(x.data, wanted)).toBeLessThan(1e-5);
});

describe('totalVariation refuses', () => {
  const model = { maps: noise([2, 8, 8], 1), mask: lineMask(8) };
  const kspace = noise([2, 8, 8], 2);

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('lambda %d', async (lambda) => {
    await expect(totalVariation(kspace, model, { lambda })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining('lambda'),
    });
  });

  test('k-space and maps that are not finite, and shapes that do not fit', async () => {
    const bad = { data: kspace.data.slice(), shape: kspace.shape };
    bad.data[5] = Number.NaN;
    await expect(totalVariation(bad, model, { scale: 1 })).rejects.toMatchObject({ code: 'ERR_NOT_FINITE' });
    await expect(totalVariation(noise([3, 8, 8], 1), model)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    await expect(totalVariation(kspace, { ...model, mask: lineMask(7) })).rejects.toMatchObject({ code: 'ERR_MASK' });
  });

  test('to go on once aborted', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(totalVariation(kspace, model, { signal })).rejects.toBe(signal.reason);
  });
});
