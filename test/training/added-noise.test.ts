// Images of robustly trained networks, where the best network is known.
import { describe, expect, test } from 'vitest';
import { type ComplexArray, complexZeros } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { Fft2 } from '#larmor/operators/fft2.js';
import { withoutAddedNoise } from '#larmor/training/added-noise.js';
import { relativeError } from '../support/graph-checks.js';
import { unitMaps } from '../support/maps.js';

const [Y, X] = [64, 60];
const full = { data: new Uint8Array(X).fill(1), shape: [X] } as const;
const ALPHA = 0.7;

function normal(random: MT19937, count: number, deviation: number): Float32Array {
  return Float32Array.from({ length: count }, () => deviation * random.normal());
}

const plus = (a: Float32Array, b: Float32Array): Float32Array => a.map((value, i) => value + b[i]);
/** The factor c that brings c x closest to y. */
const slope = (y: Float32Array, x: Float32Array): number =>
  y.reduce((sum, v, i) => sum + v * x[i], 0) / x.reduce((sum, v) => sum + v * v, 0);

test('one coil: the best linear network, learnt from noisy samples alone, gives the Wiener estimate of the clean ones', async () => {
  const [signal, noise] = [1, 0.8];
  const random = new MT19937(4);
  const count = 2 * Y * X;
  const clean = normal(random, count, signal);
  const measured = plus(clean, normal(random, count, noise));
  const seen = plus(measured, normal(random, count, ALPHA * noise));
  const network = slope(measured, seen); // minimises || c y' - y ||
  const maps = complexZeros([1, Y, X]);
  for (let i = 0; i < Y * X; i += 1) maps.data[2 * i] = 1;
  const image = { data: await imageOf(seen.map((value) => network * value)), shape: [Y, X] };
  const kspace = { data: seen, shape: [1, Y, X] };
  const corrected = await withoutAddedNoise(image, kspace, { maps, mask: full }, ALPHA);
  const wiener = signal ** 2 / (signal ** 2 + noise ** 2 * (1 + ALPHA ** 2));
  const factor = slope(corrected.data, await imageOf(seen));
  // Slopes of 2 Y X samples are known to about 1 / sqrt(2 Y X) = 1.1 %; the correction multiplies errors by (1 + alpha^2) / alpha^2 = 3.
  expect(Math.abs(factor - wiener)).toBeLessThan(0.05);
  expect(network - wiener).toBeGreaterThan(0.1);
  // Nothing of what is left follows from what was seen.
  const left = plus(
    clean,
    (await kspaceOf(corrected)).map((value) => -value),
  );
  expect(Math.abs(slope(left, seen))).toBeLessThan(0.05);
});

const imageOf = async (data: Float32Array): Promise<Float32Array> =>
  (await new Fft2([1, Y, X]).adjoint({ data, shape: [1, Y, X] })).data;
const kspaceOf = async ({ data }: ComplexArray): Promise<Float32Array> =>
  (await new Fft2([1, Y, X]).apply({ data, shape: [1, Y, X] })).data;

test('several coils, fully sampled: the share of the noise that the best network keeps is taken out', async () => {
  const random = new MT19937(5);
  const maps = unitMaps([4, Y, X], 6);
  const truth = { data: normal(random, 2 * Y * X, 1), shape: [Y, X] };
  const operator = new EncodingOperator({ maps, mask: full });
  const kspace = await operator.apply(truth);
  kspace.data.set(plus(kspace.data, normal(random, kspace.data.length, 0.3)));
  const combined = await operator.adjoint(kspace);
  const kept = truth.data.map((value, i) => value + (combined.data[i] - value) / (1 + ALPHA ** 2));
  const image = { data: kept, shape: [Y, X] };
  const corrected = await withoutAddedNoise(image, kspace, { maps, mask: full }, ALPHA);
  expect(relativeError(corrected.data, truth.data)).toBeLessThan(1e-5);
});

describe('rejects', () => {
  test.each([0, -1, Number.NaN])('alpha %d', async (alpha) => {
    const zeros = complexZeros([1, Y, X]);
    await expect(
      withoutAddedNoise(complexZeros([Y, X]), zeros, { maps: zeros, mask: full }, alpha),
    ).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(/alpha must be a positive number/),
    });
  });
});
