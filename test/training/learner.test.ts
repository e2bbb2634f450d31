// Accumulation, clipping and the running average, against plain loops in double precision.
import { describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { CpuMemory } from '#larmor/runtime/cpu-memory.js';
import type { TensorStore } from '#larmor/runtime/memory.js';
import { Adam } from '#larmor/training/adam.js';
import { Learner, type LearnerOptions } from '#larmor/training/learner.js';

const specs = [
  { name: 'a', shape: [5, 3], initial: { bound: 1 }, part: 'encoder' },
  { name: 'b', shape: [4], initial: { bound: 1 }, part: 'decoder' },
] as const;
const RATE = 0.01;

function learnerOf(options: LearnerOptions, trained: readonly (typeof specs)[number][] = specs): Promise<Learner> {
  const adam = new Adam(new CpuMemory(1), ParameterStore.initialise(specs, 1), trained, {});
  return Learner.create(adam, options);
}

const numbers = async (store: TensorStore): Promise<number[]> => [...(await store.read())];

/** Gradients of batch after batch; those of the padding stay 0. */
async function drawGradients({ adam }: Learner, random: MT19937, names = ['a', 'b']): Promise<number[]> {
  for (const name of names)
    adam.gradients.set(
      (await adam.gradients.read(name)).map(() => random.normal()),
      name,
    );
  return numbers(adam.gradients);
}

describe('gradients', () => {
  test('of several batches: their mean makes the step', async () => {
    const [one, three] = [await learnerOf({}), await learnerOf({ accumulate: 3 })];
    const random = new MT19937(4);
    for (let step = 0; step < 2; step++) {
      const batches: number[][] = [];
      for (let i = 0; i < 3; i++) {
        batches.push(await drawGradients(three, random));
        await three.collect(i);
      }
      const mean = batches[0].map((_, k) => (batches[0][k] + batches[1][k] + batches[2][k]) / 3);
      one.adam.gradients.set(Float32Array.from(mean));
      await one.collect(0);
      const [a, b] = [await one.update(RATE), await three.update(RATE)];
      expect(b).toBeCloseTo(Math.hypot(...mean), 6);
      expect(a).toBeCloseTo(b, 6);
    }
    const other = await numbers(one.adam.weights);
    (await numbers(three.adam.weights)).forEach((value, k) => {
      expect(Math.abs(value - other[k])).toBeLessThan(1e-6);
    });
  });

  test('longer than the limit are shortened to it, shorter ones stay', async () => {
    const learner = await learnerOf({ clip: 0.5 });
    const gradient = await drawGradients(learner, new MT19937(5));
    const norm = Math.hypot(...gradient);
    expect(norm).toBeGreaterThan(0.5);
    expect(await learner.update(RATE)).toBeCloseTo(norm, 6);
    (await numbers(learner.adam.gradients)).forEach((value, k) => {
      expect(value).toBeCloseTo((gradient[k] * 0.5) / norm, 6);
    });
    const short = (await learner.adam.gradients.read()).map((value) => value / 2);
    learner.adam.gradients.set(short);
    expect(await learner.update(RATE)).toBeCloseTo(0.25, 6);
    expect(await learner.adam.gradients.read()).toEqual(short);
  });

  test('that are not finite change nothing', async () => {
    const learner = await learnerOf({ average: 0.9 });
    const before = await learner.snapshot();
    learner.adam.gradients.set(Float32Array.of(0, 1, 2, Number.POSITIVE_INFINITY), 'b');
    await expect(learner.update(RATE)).rejects.toMatchObject({
      code: 'ERR_DIVERGED',
      message: expect.stringMatching(/step 1/),
    });
    expect(await learner.snapshot()).toEqual(before);
  });
});

describe('the running average', () => {
  test('decays at min(decay, (1 + t) / (10 + t)), and leaves frozen parameters to the bit', async () => {
    const learner = await learnerOf({ average: 0.4 }, [specs[0]]);
    const expected = Float64Array.from(await learner.adam.weights.read());
    const random = new MT19937(6);
    for (let t = 1; t <= 8; t++) {
      await drawGradients(learner, random, ['a']);
      await learner.update(RATE);
      const decay = Math.min(0.4, (1 + t) / (10 + t));
      (await numbers(learner.adam.weights)).forEach((w, k) => {
        expected[k] = decay * expected[k] + (1 - decay) * w;
      });
    }
    (await numbers(learner.judged)).forEach((value, k) => {
      expect(Math.abs(value - expected[k])).toBeLessThan(1e-6);
    });
    expect(await learner.judged.read('b')).toEqual(await learner.adam.weights.read('b'));
    expect(await learner.judged.read('a')).not.toEqual(await learner.adam.weights.read('a'));
  });

  test('takes the place of the weights while they are judged, also when that fails', async () => {
    const learner = await learnerOf({ average: 0.9 });
    await drawGradients(learner, new MT19937(7));
    await learner.update(RATE);
    const weights = await learner.adam.weights.read();
    const judged = await learner.judged.read();
    const failure = new Error('no');
    const seen = learner.withJudged(async () => {
      expect(await learner.adam.weights.read()).toEqual(judged);
      throw failure;
    });
    await expect(seen).rejects.toBe(failure);
    expect(await learner.adam.weights.read()).toEqual(weights);
  });

  test('comes back with a snapshot', async () => {
    const learner = await learnerOf({ average: 0.9 });
    const before = await learner.snapshot();
    await drawGradients(learner, new MT19937(8));
    await learner.update(RATE);
    expect(await learner.snapshot()).not.toEqual(before);
    learner.restore(before);
    expect(await learner.snapshot()).toEqual(before);
    const other = await learnerOf({});
    expect(() => other.restore(before)).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }));
  });
});

test.each([{ accumulate: 0 }, { clip: 0 }, { average: 1 }])('rejects %j', async (options) => {
  await expect(learnerOf(options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});
