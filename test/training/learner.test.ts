// Accumulation, clipping and the running average, against plain loops in double precision.
import { describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { Adam } from '#larmor/training/adam.js';
import { Learner, type LearnerOptions } from '#larmor/training/learner.js';

const specs = [
  { name: 'a', shape: [5, 3], initial: { bound: 1 }, part: 'encoder' },
  { name: 'b', shape: [4], initial: { bound: 1 }, part: 'decoder' },
] as const;
const RATE = 0.01;

function learnerOf(options: LearnerOptions, trained: readonly (typeof specs)[number][] = specs): Learner {
  return new Learner(new Adam(ParameterStore.initialise(specs, 1), trained, {}, 1), options, 1);
}

/** Gradients of batch after batch; those of the padding stay 0. */
function drawGradients({ adam }: Learner, random: MT19937, names = ['a', 'b']): number[] {
  for (const name of names) {
    const view = adam.gradients.get(name);
    for (let i = 0; i < view.length; i++) view[i] = random.normal();
  }
  return [...adam.gradients.data];
}

describe('gradients', () => {
  test('of several batches: their mean makes the step', async () => {
    const [one, three] = [learnerOf({}), learnerOf({ accumulate: 3 })];
    const random = new MT19937(4);
    for (let step = 0; step < 2; step++) {
      const batches: number[][] = [];
      for (let i = 0; i < 3; i++) {
        batches.push(drawGradients(three, random));
        await three.collect(i);
      }
      const mean = batches[0].map((_, k) => (batches[0][k] + batches[1][k] + batches[2][k]) / 3);
      one.adam.gradients.data.set(mean);
      await one.collect(0);
      const [a, b] = [await one.update(RATE), await three.update(RATE)];
      expect(b).toBeCloseTo(Math.hypot(...mean), 6);
      expect(a).toBeCloseTo(b, 6);
    }
    three.adam.weights.data.forEach((value, k) => {
      expect(Math.abs(value - one.adam.weights.data[k])).toBeLessThan(1e-6);
    });
  });

  test('longer than the limit are shortened to it, shorter ones stay', async () => {
    const learner = learnerOf({ clip: 0.5 });
    const gradient = drawGradients(learner, new MT19937(5));
    const norm = Math.hypot(...gradient);
    expect(norm).toBeGreaterThan(0.5);
    expect(await learner.update(RATE)).toBeCloseTo(norm, 6);
    learner.adam.gradients.data.forEach((value, k) => {
      expect(value).toBeCloseTo((gradient[k] * 0.5) / norm, 6);
    });
    const short = learner.adam.gradients.data.map((value) => value / 2);
    learner.adam.gradients.data.set(short);
    expect(await learner.update(RATE)).toBeCloseTo(0.25, 6);
    expect(learner.adam.gradients.data).toEqual(short);
  });

  test('that are not finite change nothing', async () => {
    const learner = learnerOf({ average: 0.9 });
    const before = learner.snapshot();
    learner.adam.gradients.data[3] = Number.POSITIVE_INFINITY;
    await expect(learner.update(RATE)).rejects.toMatchObject({
      code: 'ERR_DIVERGED',
      message: expect.stringMatching(/step 1/),
    });
    expect(learner.snapshot()).toEqual(before);
  });
});

describe('the running average', () => {
  test('decays at min(decay, (1 + t) / (10 + t)), and leaves frozen parameters to the bit', async () => {
    const learner = learnerOf({ average: 0.4 }, [specs[0]]);
    const expected = Float64Array.from(learner.adam.weights.data);
    const random = new MT19937(6);
    for (let t = 1; t <= 8; t++) {
      drawGradients(learner, random, ['a']);
      await learner.update(RATE);
      const decay = Math.min(0.4, (1 + t) / (10 + t));
      learner.adam.weights.data.forEach((w, k) => {
        expected[k] = decay * expected[k] + (1 - decay) * w;
      });
    }
    learner.judged.data.forEach((value, k) => {
      expect(Math.abs(value - expected[k])).toBeLessThan(1e-6);
    });
    expect(learner.judged.get('b')).toEqual(learner.adam.weights.get('b'));
    expect(learner.judged.get('a')).not.toEqual(learner.adam.weights.get('a'));
  });

  test('takes the place of the weights while they are judged, also when that fails', async () => {
    const learner = learnerOf({ average: 0.9 });
    drawGradients(learner, new MT19937(7));
    await learner.update(RATE);
    const weights = learner.adam.weights.data.slice();
    const judged = learner.judged.data.slice();
    const failure = new Error('no');
    const seen = learner.withJudged(async () => {
      expect(learner.adam.weights.data).toEqual(judged);
      throw failure;
    });
    await expect(seen).rejects.toBe(failure);
    expect(learner.adam.weights.data).toEqual(weights);
  });

  test('comes back with a snapshot', async () => {
    const learner = learnerOf({ average: 0.9 });
    const before = learner.snapshot();
    drawGradients(learner, new MT19937(8));
    await learner.update(RATE);
    expect(learner.snapshot()).not.toEqual(before);
    learner.restore(before);
    expect(learner.snapshot()).toEqual(before);
    expect(() => learnerOf({}).restore(before)).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }));
  });
});

test.each([{ accumulate: 0 }, { clip: 0 }, { average: 1 }])('rejects %j', (options) => {
  expect(() => learnerOf(options)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
});
