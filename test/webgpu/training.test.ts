// Training whose weights and optimiser state stay on the WebGPU device, against the CPU.
import { describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { WebgpuMemory } from '#larmor/graph/webgpu-memory.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { CpuMemory } from '#larmor/runtime/cpu-memory.js';
import { FlatLayout } from '#larmor/runtime/flat-layout.js';
import type { Memory } from '#larmor/runtime/memory.js';
import { LOSSES } from '#larmor/training/losses.js';
import { createTrainingSession } from '#larmor/training/open-session.js';
import type { TrainingSession } from '#larmor/training/session.js';
import { relativeError, uniform } from '../support/graph-checks.js';

const shapes = { batch: 1, coils: 3, height: 16, width: 12 };

function sampleData(): Record<string, Float32Array> {
  const random = new MT19937(2);
  const planes = 2 * shapes.height * shapes.width;
  const columns = (sampled: (x: number) => boolean): Float32Array =>
    Float32Array.from({ length: shapes.width }, (_, x) => +sampled(x));
  return {
    image: uniform(random, planes),
    target: uniform(random, planes),
    maps: uniform(random, shapes.coils * planes),
    kspace: uniform(random, shapes.coils * planes),
    mask: columns((x) => x % 4 !== 1),
    lossMask: columns((x) => x % 4 !== 1),
    heldOutMask: columns((x) => x % 4 === 1),
  };
}

const NETWORKS = {
  unet: createNetwork('unet', { channels: 4, pools: 2, residual: true }),
  unrolled: createNetwork('unrolled', { cascades: 2, channels: 4, pools: 1, iterations: 3 }),
};

function open(kind: keyof typeof NETWORKS, device: 'cpu' | 'webgpu'): Promise<TrainingSession> {
  const network = NETWORKS[kind];
  const weights = ParameterStore.initialise(network.parameters, 3);
  const optimiser = { learningRate: 1e-2 };
  return createTrainingSession({ network, weights, loss: LOSSES.joint, shapes, device, threads: 1, optimiser });
}

describe.each(['unet', 'unrolled'] as const)('%s', (kind) => {
  async function train(device: 'cpu' | 'webgpu'): Promise<Record<string, Float32Array | number>> {
    await using session = await open(kind, device);
    const data = sampleData();
    session.set(Object.fromEntries(session.inputs.map((name) => [name, data[name]])));
    const first = await session.step();
    const gradients = (await session.gradients()).data;
    // A step repeats the first one's work, on what data and weights are by then.
    session.set({ image: data.image.map((value) => 0.7 * value) });
    await session.step();
    const laterGradients = (await session.gradients()).data;
    const { loss, heldOutLoss = Number.NaN, output } = await session.evaluate();
    const { weights, secondMoments } = await session.snapshot();
    return { first: first.loss, loss, heldOutLoss, output, gradients, laterGradients, weights, secondMoments };
  }

  test('losses, gradients, weights, moments and image after two steps', async () => {
    const [want, got] = [await train('cpu'), await train('webgpu')];
    for (const [name, value] of Object.entries(want)) {
      const values = (x: typeof value): ArrayLike<number> => (typeof x === 'number' ? [x] : x);
      expect(relativeError(values(got[name]), values(value)), name).toBeLessThan(1e-4);
    }
  });
});

test('a step that is not finite leaves the weights, a state comes back, and an abort ends a run', async () => {
  await using session = await open('unet', 'webgpu');
  const data = sampleData();
  const given = Object.fromEntries(session.inputs.map((name) => [name, data[name]]));
  session.set(given);
  await session.step();
  const kept = await session.snapshot();
  session.set({ image: given.image.map(() => Number.POSITIVE_INFINITY) });
  await expect(session.step()).rejects.toThrow(expect.objectContaining({ code: 'ERR_DIVERGED' }));
  expect(await session.snapshot()).toEqual(kept);
  session.set(given);
  const { loss } = await session.step();
  session.restore(kept);
  expect((await session.step()).loss).toBe(loss);
  await expect(session.step({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
});

test('passes over all parameters', async () => {
  const layout = new FlatLayout([
    { name: 'a', shape: [3, 5] },
    { name: 'b', shape: [40] },
  ]);
  const values = (seed: number): Float32Array => {
    const random = new MT19937(seed);
    const x = new Float32Array(layout.length);
    for (const { name } of layout.specs) {
      const [begin, end] = layout.range(name);
      x.set(uniform(random, end - begin), begin);
    }
    return x;
  };
  async function passes(memory: Memory): Promise<Record<string, Float32Array | number>> {
    const [x, y, copy] = [memory.store(layout), memory.store(layout), memory.store(layout)];
    x.set(values(1));
    y.set(values(2));
    await memory.blend(0.5, y, 2, x);
    const blended = await y.read();
    await memory.copy(copy, y);
    await memory.approach(0.25, copy, x);
    // A tensor that a session binds lies apart from the others: what was flat moves there.
    copy.bound('b');
    x.set(new Float32Array(40).fill(3), 'b');
    await memory.blend(0, y, -1, x);
    const results = { blended, approached: await copy.read(), b: await copy.read('b'), negative: await y.read('b') };
    const norm = await memory.norm(copy);
    await memory.close();
    return { ...results, norm };
  }
  const want = await passes(new CpuMemory(1));
  const got = await passes(await WebgpuMemory.open());
  for (const [name, value] of Object.entries(want)) {
    const numbers = (x: typeof value): ArrayLike<number> => (typeof x === 'number' ? [x] : x);
    expect(relativeError(numbers(got[name]), numbers(value)), name).toBeLessThan(1e-6);
  }
});
