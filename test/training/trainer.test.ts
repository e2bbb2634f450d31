// Training runs: resuming, early stop, what comes back.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { loadCheckpoint } from '#larmor/training/checkpoint.js';
import { Dataset } from '#larmor/training/dataset.js';
import { LOSSES } from '#larmor/training/losses.js';
import type { TrainingSampling } from '#larmor/training/measurement.js';
import { readMetrics } from '#larmor/training/metrics-log.js';
import { createTrainingSession } from '#larmor/training/open-session.js';
import type { TrainingPlan, TrainingProgress, TrainingResult, TrainOptions } from '#larmor/training/plan.js';
import { phantomSource, type SliceSource } from '#larmor/training/sources.js';
import { train } from '#larmor/training/trainer.js';
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
      expect(validations[3].ssim).toBeGreaterThan(Number(validations[0].ssim));
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

  test('diverging names the step, and keeps the last checkpoint and the best weights', async () => {
    const wild = { ...plan, steps: 50, optimiser: { learningRate: 1e30 }, validateEvery: 1 };
    const checkpoint = { path: file('diverging.checkpoint'), every: 1, resume: false, run: 'e' };
    let best: TrainingResult | undefined;
    const onDiverged = async (result: TrainingResult): Promise<void> => {
      best = result;
    };
    // The second step starts from weights of 1e30: its activations overflow.
    const warm = {
      ...wild,
      schedule: { kind: 'step', every: 1, factor: 1e30 } as const,
      optimiser: { learningRate: 1e-3 },
    };
    await expect(run({ plan: warm, checkpoint, onDiverged })).rejects.toMatchObject({
      code: 'ERR_DIVERGED',
      message: expect.stringMatching(/at step 3: .*[^.]\. The checkpoint of step 2 is kept in .*diverging\.checkpoint/),
    });
    const kept = await loadCheckpoint(checkpoint.path, 'e');
    expect(kept.state.steps).toBe(2);
    const one = await run({ plan: { ...plan, steps: 1, schedule: 'constant', validateEvery: 1 } });
    expect(best?.stop).toBe('diverged');
    expect(best?.weights.data).toEqual(one.weights.data);
    expect(kept.bestWeights).toEqual(one.weights.data);
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

  test('rejects networks of other channels', async () => {
    const real = createNetwork('unet', { channels: 2, pools: 2, inChannels: 1, outChannels: 1 });
    await expect(run({ network: real })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  test('writes what it measured, a line per step and per validation', async () => {
    const metrics = file('run.metrics.jsonl');
    const { validations } = await run({ metrics });
    const rows = await readMetrics(metrics);
    expect(rows.map(({ step, validation: judged }) => (judged ? `v${step}` : step))).toEqual([
      1,
      2,
      'v2',
      3,
      4,
      'v4',
      5,
      6,
      'v6',
    ]);
    expect(rows.flatMap(({ step, validation: judged }) => (judged ? [{ step, ...judged }] : []))).toEqual(validations);
    for (const row of rows.filter(({ loss }) => loss !== undefined)) {
      expect(row.learningRate).toBeCloseTo(5e-4 * (1 + Math.cos((Math.PI * (row.step - 1)) / 6)), 12);
      expect(row.gradientNorm).toBeGreaterThan(0);
    }
  });
});

describe('slices of several sizes', () => {
  const mixed = async (): Promise<Dataset> => {
    const small = source(2, 1);
    const large = phantomSource({
      families: ['limb'],
      subjects: 2,
      slices: 1,
      size: 48,
      coils: 2,
      snr: [50, 100],
      seed: 1,
    });
    const both: SliceSource = {
      length: 4,
      shape: (i) => (i % 2 === 0 ? small : large).shape(i >> 1),
      read: (i, options) => (i % 2 === 0 ? small : large).read(i >> 1, options),
    };
    return Dataset.prepare(both, { sampling, input: 'sense' });
  };

  test('train the same weights, and may differ from those of validation', async () => {
    const data = await mixed();
    const long = { ...plan, steps: 30, validateEvery: 15 };
    const { validations, weights } = await run({ training: data, plan: long });
    expect(validations[1].loss).toBeLessThan(validations[0].loss);
    const again = await run({ training: data, plan: long, prefetch: 0 });
    expect(again.weights.data).toEqual(weights.data);
    const judged = await run({ validation: data, plan: { ...plan, steps: 2 } });
    expect(judged.validations).toHaveLength(1);
  });

  test('one step over a batch of each size goes along the mean of both gradients', async () => {
    const data = await mixed();
    const one = { ...plan, batch: 1, steps: 1, accumulate: 4, schedule: 'constant' } as const;
    const { weights: trained } = await run({ training: data, validation: undefined, plan: one });
    // The first epoch's four slices, each in a session of its own; the first step of Adam moves every weight by the rate times
    // g / (|g| + epsilon).
    const start = ParameterStore.initialise(network.parameters, plan.seed);
    const mean = new Float64Array(start.data.length);
    const order = new MT19937([plan.seed, 0]).permutation(4);
    for (let i = 0; i < 4; i++) {
      const [coils, height, width] = data.shape(order[i]);
      const shapes = { batch: 1, coils, height, width };
      await using session = await createTrainingSession({
        network,
        weights: start,
        loss: plan.loss,
        shapes,
        threads: 1,
      });
      session.set(await data.sample(order[i], i + 1, session.inputs));
      await session.differentiate();
      (await session.gradients()).data.forEach((g, k) => {
        mean[k] += g / 4;
      });
    }
    const expected = start.data.map((w, k) => w - (1e-3 * mean[k]) / (Math.abs(mean[k]) + 1e-8));
    trained.data.forEach((w, k) => {
      expect(Math.abs(w - expected[k])).toBeLessThan(1e-6);
    });
  });
});
