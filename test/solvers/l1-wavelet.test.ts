import { describe, expect, test } from 'vitest';
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { Wavelet } from '#larmor/operators/wavelet.js';
import type { SamplingMask } from '#larmor/sampling/mask.js';
import { dataScale } from '#larmor/solvers/data-scale.js';
import { l1Wavelet } from '#larmor/solvers/l1-wavelet.js';
import { fista } from '#larmor/solvers/proximal-gradient.js';
import { BART_FIXTURES, bartFixture } from '../support/bart.js';
import { sameBits } from '../support/bits.js';
import { noise, relativeError } from '../support/complex.js';
import { unitMaps } from '../support/maps.js';
import { lineMask, pointMask } from '../support/masks.js';
import { describeShared } from '../support/shared.js';

/** 1/2 ||A x - kspace||^2 + weight ||W x||_1 from the operators, in double. */
async function objective(
  { kspace, maps, mask }: { kspace: ComplexArray; maps: ComplexArray; mask: SamplingMask },
  weight: number,
  x: ComplexArray,
): Promise<number> {
  const encoded = (await new EncodingOperator({ maps, mask }).apply(x)).data;
  const coefficients = (await new Wavelet(x.shape).apply(x)).data;
  let [misfit, sizes] = [0, 0];
  encoded.forEach((value, i) => {
    misfit += (value - kspace.data[i]) ** 2;
  });
  for (let i = 0; i < coefficients.length; i += 2) sizes += Math.hypot(coefficients[i], coefficients[i + 1]);
  return misfit / 2 + weight * sizes;
}

/** Every complex coefficient loses `threshold` of its magnitude. */
function shrunk({ data, shape }: ComplexArray, threshold: number): ComplexArray {
  const result = Float32Array.from(data);
  for (let i = 0; i < data.length; i += 2) {
    const size = Math.hypot(data[i], data[i + 1]);
    const factor = size > threshold ? 1 - threshold / size : 0;
    result[i] *= factor;
    result[i + 1] *= factor;
  }
  return { data: result, shape };
}

describeShared('l1Wavelet against BART: pics -S -n -R W:3:0:0.002 -i 100', () => {
  test.each(BART_FIXTURES)('%s', async (name) => {
    const { l1Wavelet: wanted, ...problem } = await bartFixture(name);
    const settings = { lambda: 0.002, cycleSpinning: false, maxIterations: 100, tolerance: 0 };
    const { x, scale, iterations, objective: reported } = await l1Wavelet(problem.kspace, problem, settings);
    expect(iterations).toBe(100);
    expect(scale).toBe(await dataScale(problem.kspace, problem.mask));
    const [ours, barts] = [await objective(problem, 0.002 * scale, x), await objective(problem, 0.002 * scale, wanted)];
    expect(ours).toBeLessThan(barts);
    expect(Math.abs(reported / ours - 1)).toBeLessThan(1e-4); // the misfit is a difference of sums 300 times its size
    // BART minimises another functional at the edges, where its transform pads the image.
    expect(relativeError(x.data, wanted.data)).toBeLessThan(0.05);
  });
});

/** Two equal sets: S^H S has the eigenvalues 2 and 0 in every pixel. */
const twice = ({ data, shape }: ComplexArray): ComplexArray => ({
  data: Float32Array.from({ length: 2 * data.length }, (_, i) => data[i % data.length]),
  shape: [2, ...shape],
});

describe.each([
  { name: 'lines', maps: unitMaps([4, 48, 65], 3), mask: lineMask(65) },
  { name: 'points, two sets of rank one', maps: twice(unitMaps([5, 40, 36], 3)), mask: pointMask(40, 36) },
])('$name', ({ maps, mask }) => {
  const encoding = new EncodingOperator({ maps, mask });
  const kspace = noise(encoding.codomain, 7);
  const settings = { lambda: 0.1, scale: 2, cycleSpinning: false } as const;
  const step = maps.shape.length === 4 ? 0.5 : 1;

  test('takes the steps of the general iteration with the operators', async () => {
    const W = new Wavelet(encoding.domain);
    const soft = async (x: ComplexArray): Promise<ComplexArray> => W.adjoint(shrunk(await W.apply(x), 0.2 * step));
    const limits = { maxIterations: 25, tolerance: 0 };
    const ours = await l1Wavelet(kspace, { maps, mask }, { ...settings, ...limits });
    const general = await fista((x) => encoding.normal(x), await encoding.adjoint(kspace), soft, {
      ...limits,
      step,
    });
    expect(ours.x.shape).toEqual(encoding.domain);
    expect(relativeError(ours.x.data, general.x.data)).toBeLessThan(1e-5);
    expect(ours.restarts).toBe(general.restarts);
    expect(Math.abs(ours.change - general.change)).toBeLessThan(1e-5);
  });

  test('stops where the step changes nothing: the optimality condition', async () => {
    const options = { ...settings, maxIterations: 500, tolerance: 1e-6 };
    const { x, stop, objective: reported } = await l1Wavelet(kspace, { maps, mask }, options);
    expect(stop).toBe('tolerance');
    const [product, right] = [await encoding.normal(x), await encoding.adjoint(kspace)];
    const descended = { data: x.data.map((v, i) => v - step * (product.data[i] - right.data[i])), shape: x.shape };
    const W = new Wavelet(encoding.domain);
    const again = await W.adjoint(shrunk(await W.apply(descended), 0.2 * step));
    expect(relativeError(again.data, x.data)).toBeLessThan(1e-5);
    const inside = kspace.data.map((value, i) => value * mask.data[(i >> 1) % mask.data.length]); // the rest is ignored
    const direct = await objective({ kspace: { data: inside, shape: kspace.shape }, maps, mask }, 0.2, x);
    expect(Math.abs(reported / direct - 1)).toBeLessThan(1e-5);
  });

  test('is bit-equal for any number of threads and the same seed, with cycle spinning', async () => {
    const options = { lambda: 0.1, scale: 2, seed: 4, maxIterations: 8 };
    const runs = [1, 2, 5].map((threads) => l1Wavelet(kspace, { maps, mask }, { ...options, threads }));
    const results = await Promise.all(runs);
    for (const { x } of results) expect(sameBits(x.data, results[0].x.data)).toBe(true);
    const other = await l1Wavelet(kspace, { maps, mask }, { ...options, seed: 5 });
    expect(sameBits(other.x.data, results[0].x.data)).toBe(false);
    expect(relativeError(other.x.data, results[0].x.data)).toBeLessThan(0.5);
  });
});

test('with full sampling the image is its own coefficients, shrunk', async () => {
  const maps = unitMaps([3, 40, 33], 8);
  const mask: SamplingMask = { data: new Uint8Array(33).fill(1), shape: [33] };
  const image = noise([40, 33], 9);
  const kspace = await new EncodingOperator({ maps, mask }).apply(image);
  const W = new Wavelet([40, 33]);
  const wanted = await W.adjoint(shrunk(await W.apply(image), 0.3));
  const options = { lambda: 0.1, scale: 3, cycleSpinning: false };
  const { x, stop, iterations } = await l1Wavelet(kspace, { maps, mask }, options);
  expect(stop).toBe('tolerance');
  expect(iterations).toBeLessThan(4);
  expect(relativeError(x.data, wanted.data)).toBeLessThan(1e-5);
});

test('maps of any unit: the step follows them', async () => {
  const maps = unitMaps([3, 40, 33], 8);
  const bright = { data: maps.data.map((value) => 30 * value), shape: maps.shape };
  const mask = lineMask(33);
  const kspace = noise([3, 40, 33], 9);
  const options = { scale: 1, cycleSpinning: false, maxIterations: 30, tolerance: 0 };
  const one = await l1Wavelet(kspace, { maps, mask }, { ...options, lambda: 0.1 });
  const other = await l1Wavelet(kspace, { maps: bright, mask }, { ...options, lambda: 3 });
  expect(
    relativeError(
      other.x.data.map((value) => 30 * value),
      one.x.data,
    ),
  ).toBeLessThan(1e-4);
});

describe('refuses', () => {
  const maps = unitMaps([2, 16, 16], 1);
  const mask = lineMask(16);
  const kspace = noise([2, 16, 16], 2);

  test.each([
    [{ lambda: 0 }, 'lambda must be a finite number above 0'],
    [{ lambda: Number.NaN }, 'lambda'],
    [{ scale: -1 }, 'scale'],
    [{ seed: 1.5 }, 'seed'],
    [{ maxIterations: 0 }, 'maxIterations'],
    [{ tolerance: 1 }, 'tolerance'],
    [{ levels: 0 }, 'levels'],
    [{ wavelet: 'meyer' as 'haar' }, 'wavelet'],
  ])('%j', async (options, message) => {
    const error = { code: 'ERR_ARGUMENT', message: expect.stringContaining(message) };
    await expect(l1Wavelet(kspace, { maps, mask }, options)).rejects.toMatchObject(error);
  });

  test('k-space and maps that do not fit, are not finite or vanish', async () => {
    await expect(l1Wavelet(noise([3, 16, 16], 1), { maps, mask })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    const bad = { data: Float32Array.from(kspace.data), shape: kspace.shape };
    bad.data[3] = Number.NaN;
    for (const options of [{}, { scale: 1 }])
      await expect(l1Wavelet(bad, { maps, mask }, options)).rejects.toMatchObject({ code: 'ERR_NOT_FINITE' });
    const dark = { data: maps.data.map(() => 0), shape: maps.shape };
    await expect(l1Wavelet(kspace, { maps: dark, mask })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    const empty = { data: kspace.data.map(() => 0), shape: kspace.shape };
    await expect(l1Wavelet(empty, { maps, mask })).rejects.toMatchObject({ code: 'ERR_CALIBRATION' });
    const huge = { data: kspace.data.map(() => 1e38), shape: kspace.shape };
    await expect(l1Wavelet(huge, { maps, mask }, { scale: 1 })).rejects.toMatchObject({ code: 'ERR_DIVERGED' });
  });

  test('to go on once aborted', async () => {
    const controller = new AbortController();
    const running = l1Wavelet(kspace, { maps, mask }, { maxIterations: 1e6, tolerance: 0, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 30);
    await expect(running).rejects.toThrow('enough');
  });
});
