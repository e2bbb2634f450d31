import { describe, expect, test } from 'vitest';
import { JudgedWeights } from '#larmor/adaptation/judged-weights.js';
import type { ParameterSpec } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { CpuMemory } from '#larmor/runtime/cpu-memory.js';
import { Adam } from '#larmor/training/adam.js';

const SPEC: ParameterSpec[] = [{ name: 'w', shape: [3], initial: { value: 0 }, part: 'decoder' }];

/** Weights in training at every step: values a linear average would tell from a later one. */
const path = Array.from({ length: 30 }, (_, t) => [t, (-1) ** t, 5].map(Math.fround));

/** The weights themselves at present. */
type Read = () => Promise<number[]>;

async function followed(average: boolean): Promise<{ training: Read; judged: JudgedWeights }> {
  const adam = new Adam(new CpuMemory(1), new ParameterStore(SPEC), SPEC, {});
  const judged = await JudgedWeights.of(adam, { average });
  for (const [i, values] of path.entries()) {
    adam.weights.set(Float32Array.from(values), 'w');
    await judged.follow(i + 1);
  }
  return { training: async () => [...(await adam.weights.read('w'))], judged };
}

describe('the running average', () => {
  test('counts step t with t (t + 1), and the weights before the first step not at all', async () => {
    const { judged } = await followed(true);
    // Unrolling average_t = average_{t-1} + 3 / (t + 2) (w_t - average_{t-1}) gives weights proportional to t (t + 1).
    const share = path.map((_, i) => (i + 1) * (i + 2));
    const total = share.reduce((a, b) => a + b);
    const expected = [0, 1, 2].map((axis) => path.reduce((sum, w, i) => sum + (share[i] / total) * w[axis], 0));
    const average = await judged.save();
    expected.forEach((value, axis) => {
      expect(average[axis]).toBeCloseTo(value, 5);
    });
  });

  test('stands in for the weights in training while it is judged, and gives them back whatever happens', async () => {
    const { training, judged } = await followed(true);
    const seen = await judged.during(training);
    expect(seen).toEqual([...(await judged.save()).subarray(0, 3)]);
    await expect(judged.during(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await training()).toEqual(path[29]);
  });
});

test('without it the weights in training are judged themselves', async () => {
  const { training, judged } = await followed(false);
  expect([...(await judged.save()).subarray(0, 3)]).toEqual(path[29]);
  expect(await judged.during(training)).toEqual(path[29]);
});
