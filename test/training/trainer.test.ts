// Training runs: resuming, early stop, what comes back; and the examples they train on.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { percentile } from '#larmor/arrays/percentile.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { Dataset, type TrainingSampling } from '#larmor/training/dataset.js';
import { LOSSES } from '#larmor/training/losses.js';
import { phantomSource } from '#larmor/training/sources.js';
import { type TrainingPlan, type TrainingProgress, type TrainOptions, train } from '#larmor/training/trainer.js';
import { relativeError } from '../support/graph-checks.js';
import { temporaryFolder } from '../support/hdf5-files.js';

const SIZE = 32;
const COILS = 3;
const network = createNetwork('unet', { channels: 2, pools: 2, residual: true });
const sampling: TrainingSampling = { type: 'random', acceleration: 3, centerFraction: 0.25, fixed: false, seed: 4 };
const plan: TrainingPlan = {
  loss: LOSSES.joint,
  steps: 6,
  batch: 2,
  optimiser: { learningRate: 1e-3 },
  schedule: 'cosine',
  seed: 3,
  validateEvery: 2,
};
const file = temporaryFolder();

const source = (subjects: number, seed: number): ReturnType<typeof phantomSource> =>
  phantomSource({ families: ['limb'], subjects, slices: 1, size: SIZE, coils: COILS, snr: [50, 100], seed });

let training: Dataset;
let validation: Dataset;
beforeAll(async () => {
  training = await Dataset.prepare(source(3, 1), { sampling, input: 'sense' });
  validation = await Dataset.prepare(source(2, 2), { sampling, input: 'sense' });
});

const run = (options: Partial<TrainOptions> = {}): ReturnType<typeof train> =>
  train({ network, plan, training, validation, threads: 1, ...options });

describe('a training run', () => {
  test('repeats bit for bit, and so does one that was stopped half way and resumed', async () => {
    const whole = await run();
    expect(whole.steps).toBe(6);
    expect(whole.validations.map(({ step }) => step)).toEqual([2, 4, 6]);
    expect((await run()).weights.data).toEqual(whole.weights.data);

    const checkpoint = { path: file('stopped.checkpoint'), every: 0, resume: false, run: 'a' };
    const reason = new Error('enough');
    const controller = new AbortController();
    const onProgress = ({ step }: TrainingProgress): void => {
      if (step === 3) controller.abort(reason);
    };
    await expect(run({ checkpoint, signal: controller.signal, onProgress })).rejects.toBe(reason);
    const steps: number[] = [];
    const resumed = await run({
      checkpoint: { ...checkpoint, resume: true },
      onProgress: ({ step }) => steps.push(step),
    });
    expect(steps).toEqual([4, 5, 6]);
    expect(resumed.weights.data).toEqual(whole.weights.data);
    expect(resumed.validations).toEqual(whole.validations);
  });

  test('without validation the last weights come back, and checkpoints are written on the way', async () => {
    const checkpoint = { path: file('regular.checkpoint'), every: 4, resume: false, run: 'b' };
    const seen: boolean[] = [];
    const onProgress = (): number => seen.push(existsSync(checkpoint.path));
    const { weights, validations } = await run({ validation: undefined, checkpoint, onProgress });
    expect(seen).toEqual([false, false, false, true, true, true]);
    expect(validations).toEqual([]);
    const resumed = await run({ validation: undefined, checkpoint: { ...checkpoint, resume: true } });
    expect(resumed.weights.data).toEqual(weights.data);
  });

  test('lowers the validation loss, by either kind of supervised loss', async () => {
    for (const loss of [LOSSES.joint, LOSSES['supervised-magnitude']]) {
      const { validations } = await run({ plan: { ...plan, loss, steps: 40, validateEvery: 10 } });
      expect(validations[3].loss).toBeLessThan(validations[0].loss);
      expect(validations[3].ssim).toBeGreaterThan(validations[0].ssim);
    }
  });

  test('an end-to-end VarNet trains on magnitudes and its own k-space', async () => {
    const varnet = createNetwork('varnet', {
      cascades: 1,
      channels: 2,
      pools: 1,
      sensitivity: { channels: 1, pools: 1 },
    });
    const long = { ...plan, loss: LOSSES['joint-magnitude'], steps: 40, validateEvery: 20 };
    const { validations } = await run({ network: varnet, plan: long });
    expect(validations[1].loss).toBeLessThan(validations[0].loss);
    await expect(run({ network: varnet })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringMatching(/use a magnitude loss/),
    });
  });

  test('stops when validation no longer improves, with the best weights', async () => {
    const weights = ParameterStore.initialise(network.parameters, 8);
    const frozen = { ...plan, steps: 100, optimiser: { learningRate: 0 }, patience: 3 };
    const result = await run({ plan: frozen, weights });
    expect(result.stop).toBe('patience');
    expect(result.steps).toBe(8);
    expect(result.weights.data).toEqual(weights.data);
  });

  test('diverging names the step', async () => {
    const wild = { ...plan, steps: 50, optimiser: { learningRate: 1e30 } };
    await expect(run({ plan: wild })).rejects.toMatchObject({
      code: 'ERR_DIVERGED',
      message: expect.stringMatching(/at step \d+/),
    });
  });

  test.each([
    ['of another run', 'ERR_CONFIG', /another configuration/],
    ['that is broken', 'ERR_FILE_FORMAT', /safetensors/],
    ['that is missing', 'ERR_FILE_NOT_FOUND', /checkpoint/],
  ])('does not resume from a checkpoint %s', async (what, code, message) => {
    const path = file(`${what}.checkpoint`);
    if (what === 'of another run') await run({ checkpoint: { path, every: 6, resume: false, run: 'c' } });
    if (what === 'that is broken') await writeFile(path, 'weights');
    await expect(run({ checkpoint: { path, every: 0, resume: true, run: 'd' } })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('rejects networks of other channels and validation data of another size', async () => {
    const real = createNetwork('unet', { channels: 2, pools: 2, inChannels: 1, outChannels: 1 });
    await expect(run({ network: real })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    const larger = phantomSource({
      families: ['limb'],
      subjects: 1,
      slices: 1,
      size: 48,
      coils: COILS,
      snr: [50, 100],
      seed: 1,
    });
    const other = await Dataset.prepare(larger, { sampling, input: 'sense' });
    await expect(run({ validation: other })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});

describe('a training example', () => {
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
});
