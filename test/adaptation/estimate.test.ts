// The estimate is an extrapolation of measured steps: what can be said of it without timing anything.
import { expect, test } from 'vitest';
import { estimateAdaptation } from '#larmor/adaptation/estimate.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';

const network = createNetwork('unet', { channels: 2, pools: 1 });
const model = {
  network,
  weights: ParameterStore.initialise(network.parameters, 1),
  input: 'sense',
  notes: {},
} as const;
const size = { coils: 2, height: 12, width: 16, threads: 1 };

test('is what every iteration of every slice would take', async () => {
  const adapt = { maxIterations: 40, volumeIterations: 10, loss: { samples: 'disjoint' } } as const;
  const { perStep, perSliceBeside, total } = await estimateAdaptation(model, { ...size, slices: 7, adapt });
  expect(perStep).toBeGreaterThan(0);
  expect(total).toBeCloseTo(10 * perStep + 7 * (perSliceBeside + 40 * perStep), 9);
});

test('a time budget bounds it', async () => {
  const adapt = { maxIterations: 100_000, timeBudget: 1e-6 };
  const { perSliceBeside, total } = await estimateAdaptation(model, { ...size, mask: 'points', adapt });
  expect(total).toBeCloseTo(perSliceBeside + 1e-6, 12);
});

test('leaves the model as it was, and refuses wrong options', async () => {
  const before = model.weights.data.slice();
  await estimateAdaptation(model, size);
  expect(model.weights.data).toEqual(before);
  await expect(estimateAdaptation(model, { ...size, adapt: { maxIterations: 0 } })).rejects.toThrow('maxIterations');
});
