// The examples that networks train on: k-space, maps, masks and images that belong together.
import { beforeAll, expect, test } from 'vitest';
import { percentile } from '#larmor/arrays/percentile.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { Dataset } from '#larmor/training/dataset.js';
import type { TrainingSampling } from '#larmor/training/measurement.js';
import { phantomSource } from '#larmor/training/sources.js';
import { relativeError } from '../support/graph-checks.js';

const SIZE = 32;
const COILS = 3;
const sampling: TrainingSampling = { type: 'random', acceleration: 3, centerFraction: 0.25, fixed: false, seed: 4 };

const source = (subjects: number, seed: number): ReturnType<typeof phantomSource> =>
  phantomSource({ families: ['limb'], subjects, slices: 1, size: SIZE, coils: COILS, snr: [50, 100], seed });

let training: Dataset;
beforeAll(async () => {
  training = await Dataset.prepare(source(3, 1), { sampling, input: 'sense' });
});

const complex = (data: Float32Array, shape: number[]): { data: Float32Array; shape: number[] } => ({ data, shape });

test('holds k-space, maps and input that belong together', async () => {
  const names = ['image', 'target', 'targetMagnitude', 'targetRss', 'kspace', 'maps', 'mask', 'heldOutMask'];
  const { image, target, kspace, maps, mask, heldOutMask, ...targets } = await training.sample(1, 5, names);
  const encoding = new EncodingOperator({
    maps: complex(maps, [COILS, SIZE, SIZE]),
    mask: { data: Uint8Array.from(mask), shape: [SIZE] },
  });
  const { data } = await encoding.adjoint(complex(kspace, [COILS, SIZE, SIZE]));
  const points = SIZE * SIZE;
  const interleaved = Float32Array.from(data, (_, i) => image[(i % 2) * points + (i >> 1)]);
  expect(relativeError(interleaved, data)).toBeLessThan(1e-6);
  const magnitudes = Float32Array.from({ length: points }, (_, i) => Math.hypot(image[i], image[points + i]));
  expect(percentile(magnitudes, 95)).toBeCloseTo(1, 5);
  expect(Math.max(...heldOutMask)).toBe(0);
  const targetMagnitudes = Float32Array.from({ length: points }, (_, i) => Math.hypot(target[i], target[points + i]));
  expect(relativeError(targets.targetMagnitude, targetMagnitudes)).toBeLessThan(1e-6);
  // |S^H z| <= |z| by Cauchy and Schwarz, as the maps of a pixel have norm 1 or 0.
  targets.targetRss.forEach((value, i) => {
    expect(targets.targetMagnitude[i]).toBeLessThanOrEqual(1.0001 * value);
  });
});

test('carries noise of the level asked for, on measured samples only, and a target without it', async () => {
  const level = 0.05;
  const noisy = await Dataset.prepare(source(3, 1), {
    sampling: { ...sampling, noise: [level, level] },
    input: 'sense',
  });
  const names = ['kspace', 'mask', 'targetRss'];
  const [clean, noised] = [await training.sample(1, 5, names), await noisy.sample(1, 5, names)];
  expect(noised.mask).toEqual(clean.mask);
  // Scales differ; brightness, the 95th percentile of the root sum of squares, tells them.
  const brightness = [clean, noised].map(({ targetRss }) => percentile(targetRss, 95));
  const added: number[] = [];
  noised.kspace.forEach((value, i) => {
    const difference = value / brightness[1] - clean.kspace[i] / brightness[0];
    if (noised.mask[(i >> 1) % SIZE] === 1) added.push(difference);
    else expect(value).toBe(0);
  });
  const deviation = Math.sqrt(added.reduce((sum, value) => sum + value ** 2, 0) / added.length);
  expect(Math.abs(deviation / level - 1)).toBeLessThan(5 / Math.sqrt(2 * added.length)); // five standard errors
});

test('comes under a new mask at every draw, and the same mask at the same draw', async () => {
  const [a, b, again] = await Promise.all([1, 2, 1].map((draw) => training.sample(0, draw, ['image', 'mask'])));
  expect(a.mask).not.toEqual(b.mask);
  expect(again).toEqual(a);
  const fixed = await Dataset.prepare(source(2, 1), { sampling: { ...sampling, fixed: true }, input: 'split-rss' });
  const [c, d] = [await fixed.sample(0, 1, ['image', 'mask']), await fixed.sample(1, 2, ['image', 'mask'])];
  expect(c.mask).toEqual(d.mask);
  expect(Math.min(...c.image)).toBeGreaterThanOrEqual(0);
});
