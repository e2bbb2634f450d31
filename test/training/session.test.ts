// What a training session promises about its weights, and what it refuses.
import { afterEach, describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createPredictor } from '#larmor/networks/predictor.js';
import { LOSSES } from '#larmor/training/losses.js';
import { createTrainingSession, type TrainingSessionOptions } from '#larmor/training/open-session.js';
import type { TrainingSession } from '#larmor/training/session.js';
import { uniform } from '../support/graph-checks.js';

const network = createNetwork('unet', { channels: 2, pools: 2, residual: true });
const weights = ParameterStore.initialise(network.parameters, 1);
const shapes = { batch: 1, height: 12, width: 10, coils: 3 };

function sampleData(): Record<'image' | 'target' | 'maps' | 'kspace' | 'lossMask' | 'heldOutMask', Float32Array> {
  const random = new MT19937(2);
  const planes = 2 * shapes.height * shapes.width;
  return {
    image: uniform(random, planes),
    target: uniform(random, planes),
    maps: uniform(random, shapes.coils * planes),
    kspace: uniform(random, shapes.coils * planes),
    lossMask: Float32Array.from({ length: shapes.width }, (_, i) => (i % 3 === 0 ? 1 : 0)),
    heldOutMask: Float32Array.from({ length: shapes.width }, (_, i) => (i % 6 === 1 ? 1 : 0)),
  };
}

const open: TrainingSession[] = [];
afterEach(async () => {
  for (const session of open.splice(0)) await session.close();
});

async function jointSession(options: Partial<TrainingSessionOptions> = {}): Promise<TrainingSession> {
  const session = await createTrainingSession({ network, weights, loss: LOSSES.joint, shapes, threads: 1, ...options });
  open.push(session);
  session.set(sampleData());
  return session;
}

async function lossesOf(session: TrainingSession, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) losses.push((await session.step()).loss);
  return losses;
}

describe('training session', () => {
  test('a joint loss is the sum of its terms', async () => {
    const { image, target } = sampleData();
    const supervised = await createTrainingSession({ network, weights, loss: LOSSES.supervised, shapes, threads: 1 });
    open.push(supervised);
    supervised.set({ image, target });
    const self = await createTrainingSession({ network, weights, loss: LOSSES.self, shapes, threads: 1 });
    open.push(self);
    const { target: _, ...measured } = sampleData();
    self.set(measured);
    const joint = await (await jointSession()).evaluate();
    const parts = [await supervised.evaluate(), await self.evaluate()];
    expect(joint.loss).toBeCloseTo(parts[0].loss + parts[1].loss, 5);
    expect(joint.heldOutLoss).toBe(parts[1].heldOutLoss);
    expect(parts[0].heldOutLoss).toBeUndefined();
  });

  test('held-out samples judge and do not train', async () => {
    const session = await jointSession();
    const { kspace, heldOutMask } = sampleData();
    const before = await session.step({ learningRate: 0 });
    const gradients = await session.gradients();
    const column = heldOutMask.indexOf(1);
    for (let i = column; i < kspace.length / 2; i += shapes.width) kspace[2 * i] += 1;
    session.set({ kspace });
    const after = await session.step({ learningRate: 0 });
    expect(after.loss).toBe(before.loss);
    expect(after.heldOutLoss).not.toBe(before.heldOutLoss);
    expect((await session.gradients()).data).toEqual(gradients.data);
  });

  test('training lowers the loss and repeats bit for bit', async () => {
    const losses = await lossesOf(await jointSession(), 30);
    expect(losses[29]).toBeLessThan(0.95 * losses[0]);
    expect(await lossesOf(await jointSession(), 30)).toEqual(losses);
  });

  test('decoder only: the encoder stays', async () => {
    const session = await jointSession({ trainable: 'decoder' });
    await lossesOf(session, 2);
    const trained = await session.weights();
    for (const { name, part } of network.parameters) {
      const moved = trained.get(name).some((x, i) => x !== weights.get(name)[i]);
      expect(moved, name).toBe(part === 'decoder');
    }
  });

  test('a chosen subset: nothing else moves', async () => {
    const session = await jointSession({ trainable: (name) => name.endsWith('bias') });
    await session.step();
    const trained = await session.weights();
    const moved = network.parameters.filter(({ name }) => trained.get(name).some((x, i) => x !== weights.get(name)[i]));
    expect(moved.map(({ name }) => name)).toEqual(['up_conv.1.1.bias']);
  });

  test('goes back to a snapshot and repeats from there', async () => {
    const session = await jointSession();
    await lossesOf(session, 3);
    const state = await session.snapshot();
    const losses = await lossesOf(session, 3);
    session.restore(state);
    expect(session.steps).toBe(3);
    expect(await lossesOf(session, 3)).toEqual(losses);
  });

  test('loading weights starts anew', async () => {
    const session = await jointSession();
    const losses = await lossesOf(session, 3);
    session.load(weights);
    expect(session.steps).toBe(0);
    expect(await lossesOf(session, 3)).toEqual(losses);
    expect(weights.data).toEqual(ParameterStore.initialise(network.parameters, 1).data);
  });

  test('the learning rate can change at every step', async () => {
    const session = await jointSession();
    await session.step({ learningRate: 0 });
    expect((await session.weights()).data).toEqual(weights.data);
    await session.step({ learningRate: 0.01 });
    expect((await session.weights()).data).not.toEqual(weights.data);
  });

  test('predicts what a predictor with its weights predicts', async () => {
    const session = await jointSession();
    await session.step();
    const { height, width } = shapes;
    using predictor = await createPredictor({ network, weights: await session.weights(), height, width, threads: 1 });
    expect(await session.predict()).toEqual(await predictor.predict(sampleData()));
  });

  test.each([2, 3])('%i threads give the bits of one', async (threads) => {
    const one = await jointSession();
    const several = await jointSession({ threads });
    expect(await lossesOf(several, 5)).toEqual(await lossesOf(one, 5));
    expect((await several.weights()).data).toEqual((await one.weights()).data);
  });

  test('a loss that is not finite names the step and leaves the weights', async () => {
    const session = await jointSession();
    await session.step();
    const before = (await session.weights()).data;
    session.set({ image: sampleData().image.fill(Number.NaN) });
    await expect(session.step()).rejects.toMatchObject({
      code: 'ERR_DIVERGED',
      message: expect.stringMatching(/at step 2/),
    });
    expect((await session.weights()).data).toEqual(before);
    expect(session.steps).toBe(1);
  });

  test('an aborted step leaves the weights', async () => {
    const session = await jointSession();
    const reason = new Error('enough');
    await expect(session.step({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect((await session.weights()).data).toEqual(weights.data);
    await session.step();
    expect(session.steps).toBe(1);
  });
});

describe('a training session rejects', () => {
  test.each([
    [
      'an unknown input',
      { images: new Float32Array(1) },
      'ERR_ARGUMENT',
      /no input is called images; the inputs are image, target/,
    ],
    [
      'another length',
      { lossMask: new Float32Array(3) },
      'ERR_SHAPE',
      /lossMask of shape \[1,1,10\] must hold 10 values, got 3/,
    ],
  ])('%s', async (_, data, code, message) => {
    const session = await jointSession();
    expect(() => session.set(data)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  test.each([
    ['a loss without terms', { loss: {} }, 'ERR_ARGUMENT', /wants a supervised or a self-supervised term/],
    ['no coils', { shapes: { batch: 1, height: 12, width: 10 } }, 'ERR_ARGUMENT', /coils must be given/],
    ['nothing to train', { trainable: () => false }, 'ERR_ARGUMENT', /must choose a parameter/],
    ['a negative rate', { optimiser: { learningRate: -1 } }, 'ERR_ARGUMENT', /learningRate must be 0 or more, got -1/],
    ['images too small', { shapes: { ...shapes, width: 3 } }, 'ERR_SHAPE', /at least 4 pixels a side/],
  ] satisfies [string, Partial<TrainingSessionOptions>, string, RegExp][])('%s', async (_, options, code, message) => {
    await expect(
      createTrainingSession({ network, weights, loss: LOSSES.joint, shapes, ...options }),
    ).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('weights and states of another network', async () => {
    const session = await jointSession();
    const other = new ParameterStore(createNetwork('unet', { channels: 4, pools: 2 }).parameters);
    const code = expect.objectContaining({ code: 'ERR_SHAPE' });
    expect(() => session.load(other)).toThrow(code);
    const state = await session.snapshot();
    expect(() => session.restore({ ...state, weights: other.data })).toThrow(code);
  });

  test('work after closing', async () => {
    const session = await jointSession();
    await session.close();
    await session.close();
    await expect(session.step()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await expect(session.predict()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
});
