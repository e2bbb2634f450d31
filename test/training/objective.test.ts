// Starting weights that adapt well: inner steps and outer gradient against sessions of their own and plain loops.
import { beforeAll, describe, expect, test } from 'vitest';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { CpuMemory } from '#larmor/runtime/cpu-memory.js';
import { Adam } from '#larmor/training/adam.js';
import { Dataset, type TrainingSample } from '#larmor/training/dataset.js';
import { LOSSES, type LossDescription } from '#larmor/training/losses.js';
import type { TrainingSampling } from '#larmor/training/measurement.js';
import { type Batch, MetaObjective, type MetaOptions, PlainObjective } from '#larmor/training/objective.js';
import { createTrainingSession, openTrainingSession } from '#larmor/training/open-session.js';
import type { TrainingPlan } from '#larmor/training/plan.js';
import type { TrainingSession } from '#larmor/training/session.js';
import { SessionPool } from '#larmor/training/session-pool.js';
import { phantomSource } from '#larmor/training/sources.js';
import { train } from '#larmor/training/trainer.js';
import { relativeError } from '../support/graph-checks.js';

const [SIZE, COILS] = [32, 2];
const network = createNetwork('unet', { channels: 2, pools: 2, residual: true });
const start = ParameterStore.initialise(network.parameters, 1);
const shapes = { batch: 1, coils: COILS, height: SIZE, width: SIZE };
const sampling: TrainingSampling = {
  type: 'random',
  acceleration: 3,
  centerFraction: 0.25,
  fixed: false,
  seed: 4,
  noise: [0.05, 0.05],
};
const options: MetaOptions = { innerSteps: 2, innerLearningRate: 0.05, order: 'first' };

const sourceOf = (subjects: number, seed: number): ReturnType<typeof phantomSource> =>
  phantomSource({ families: ['limb'], subjects, slices: 1, size: SIZE, coils: COILS, snr: [50, 100], seed });

let data: Dataset;
beforeAll(async () => {
  data = await Dataset.prepare(sourceOf(2, 1), { sampling, input: 'sense' });
});

/** Everything a loss may ask for. */
const everything = [
  'image',
  'target',
  'maps',
  'kspace',
  'lossMask',
  'heldOutMask',
  'completedKspace',
  'complementMask',
];
const batchOf = async (): Promise<Batch> => ({ shape: data.shape(0), data: await data.sample(0, 1, everything) });

async function loaded(
  loss: LossDescription,
  weights: ParameterStore,
  sample: TrainingSample,
): Promise<TrainingSession> {
  const session = await createTrainingSession({ network, weights, loss, shapes, threads: 1 });
  session.set(Object.fromEntries(session.inputs.map((name) => [name, sample[name]])));
  return session;
}

/** The weights after plain gradient descent on the measured samples. */
async function adaptedByHand(sample: TrainingSample): Promise<ParameterStore> {
  const weights = start.clone();
  for (let i = 0; i < options.innerSteps; i++) {
    await using session = await loaded(LOSSES.self, weights, sample);
    await session.differentiate();
    (await session.gradients()).data.forEach((gradient, k) => {
      weights.data[k] -= options.innerLearningRate * gradient;
    });
  }
  return weights;
}

async function withObjective(
  outer: MetaOptions['outer'],
  use: (objective: MetaObjective, adam: Adam) => Promise<void>,
): Promise<void> {
  const adam = new Adam(new CpuMemory(1), start, network.parameters, {});
  const pool = (loss: LossDescription): SessionPool =>
    new SessionPool(() => openTrainingSession(adam, { network, loss, shapes, threads: 1 }));
  await using outerPool = pool(outer === 'loss' ? LOSSES.supervised : LOSSES.self);
  await using innerPool = pool(LOSSES.self);
  const [inner, judged] = [new PlainObjective(innerPool), new PlainObjective(outerPool)];
  await use(new MetaObjective(inner, judged, adam, { ...options, outer }), adam);
}

describe('the loss of adapted weights', () => {
  test("the plan's: its gradient at the adapted weights, with the starting weights back in place", async () => {
    const batch = await batchOf();
    const adapted = await adaptedByHand(batch.data);
    expect(relativeError(adapted.data, start.data)).toBeGreaterThan(1e-3);
    await using session = await loaded(LOSSES.supervised, adapted, batch.data);
    const { loss } = await session.differentiate();
    await withObjective('loss', async (objective, adam) => {
      expect(await objective.differentiate(batch, {})).toBeCloseTo(loss, 5);
      expect(relativeError(await adam.gradients.read(), (await session.gradients()).data)).toBeLessThan(1e-4);
      expect(await adam.weights.read()).toEqual(start.data);
      expect(relativeError((await objective.evaluate(batch, {})).output, await session.predict())).toBeLessThan(1e-5);
      expect(await adam.weights.read()).toEqual(start.data);
    });
  });

  test('the unmeasured samples: sum of |Re| and |Im| of the misfit there, over that of the samples', async () => {
    const batch = await batchOf();
    const { maps, completedKspace, complementMask } = batch.data;
    await withObjective('complement', async (objective, adam) => {
      expect([...(await objective.inputs(batch.shape))].sort()).toEqual(
        everything.filter((name) => name !== 'target').sort(),
      );
      const { loss, output } = await objective.evaluate(batch, {});
      const points = SIZE * SIZE;
      const image = Float32Array.from({ length: 2 * points }, (_, i) => output[(i % 2) * points + (i >> 1)]);
      const encoding = new EncodingOperator({
        maps: { data: maps, shape: [COILS, SIZE, SIZE] },
        mask: { data: Uint8Array.from(complementMask), shape: [SIZE] },
      });
      const predicted = (await encoding.apply({ data: image, shape: [SIZE, SIZE] })).data;
      let [misfit, all] = [0, 0];
      completedKspace.forEach((value, i) => {
        if (complementMask[(i >> 1) % SIZE] === 0) return;
        misfit += Math.abs(predicted[i] - value);
        all += Math.abs(value);
      });
      expect(loss).toBeCloseTo(misfit / all, 5);
      expect(await adam.weights.read()).toEqual(start.data);
    });
  });

  test('an aborted or failed look leaves the starting weights', async () => {
    const batch = await batchOf();
    await withObjective('loss', async (objective, adam) => {
      const reason = new Error('enough');
      await expect(objective.differentiate(batch, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(await adam.weights.read()).toEqual(start.data);
      const broken = { ...batch, data: { ...batch.data, target: batch.data.target.map(() => Number.NaN) } };
      await expect(objective.differentiate(broken, {})).rejects.toMatchObject({ code: 'ERR_DIVERGED' });
      expect(await adam.weights.read()).toEqual(start.data);
    });
  });
});

test('completed k-space: noisy where it was measured, the full scan elsewhere', async () => {
  const names = ['kspace', 'completedKspace', 'targetKspace', 'mask', 'complementMask'];
  const { kspace, completedKspace, targetKspace, mask, complementMask } = await data.sample(1, 3, names);
  expect(Array.from(mask, (value, i) => value + complementMask[i])).toEqual(new Array(SIZE).fill(1));
  completedKspace.forEach((value, i) => {
    expect(value).toBe(mask[(i >> 1) % SIZE] === 1 ? kspace[i] : targetKspace[i]);
  });
  expect(kspace).not.toEqual(targetKspace);
});

test('a run with it lowers the loss after adaptation, the same way twice', async () => {
  const validation = await Dataset.prepare(sourceOf(2, 2), { sampling, input: 'sense' });
  const plan: TrainingPlan = {
    loss: LOSSES.joint,
    steps: 30,
    batch: 1,
    optimiser: { learningRate: 3e-3 },
    schedule: 'constant',
    seed: 3,
    validateEvery: 15,
    meta: options,
  };
  const run = (): ReturnType<typeof train> => train({ network, plan, training: data, validation, threads: 1 });
  const { validations, weights } = await run();
  expect(validations[1].loss).toBeLessThan(validations[0].loss);
  expect((await run()).weights.data).toEqual(weights.data);
});
