// Whole reconstructions on WebGPU, with and without adaptation, and its choice as a device, against the CPU.
import { beforeAll, describe, expect, test } from 'vitest';
import { adaptationSettings } from '#larmor/adaptation/options.js';
import { SliceAdapter } from '#larmor/adaptation/slice.js';
import type { Model } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { resolveDevice } from '#larmor/runtime/devices.js';
import { relativeError } from '../support/graph-checks.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { writeSyntheticScan } from '../support/scans.js';
import { simulatedSlices } from '../support/simulated-slices.js';

const file = temporaryFolder();
const path = file('scan.h5');
const undersample = { acceleration: 2, centerFraction: 0.3, seed: 1 };

function model(kind: 'unet' | 'unrolled'): Model {
  const config =
    kind === 'unet' ? { channels: 4, pools: 2, residual: true } : { cascades: 2, channels: 4, pools: 1, iterations: 3 };
  const network = createNetwork(kind, config);
  return { network, weights: ParameterStore.initialise(network.parameters, 1), input: 'sense', notes: {} };
}

beforeAll(async () => {
  await writeSyntheticScan(path, { slices: 1, coils: 4, size: 32, noise: 1e-3 });
});

test('a device that passed its self-test, which auto leaves to those who ask for it', async () => {
  expect(await resolveDevice('webgpu', { who: 'test', task: 'networks' })).toMatchObject({ kind: 'webgpu' });
  const chosen = await resolveDevice('auto', { who: 'test', task: 'networks', kinds: ['webgpu', 'cpu'] });
  expect(chosen.kind).toBe('cpu');
  expect(chosen.reason).toContain('no faster than the CPU');
});

describe.each(['unet', 'unrolled'] as const)('%s', (kind) => {
  test('the image of a scan', async () => {
    const run = (device: 'cpu' | 'webgpu'): ReturnType<typeof reconstruct> =>
      reconstruct(path, { method: kind, model: model(kind), undersample, device, threads: 1 });
    const [want, got] = [await run('cpu'), await run('webgpu')];
    expect(got.manifest.device).toBe('webgpu');
    expect(relativeError(got.image.data, want.image.data)).toBeLessThan(1e-4);
  });

  test('a slice adapted to itself', async () => {
    const [slice] = await simulatedSlices({ size: 24, coils: 3, count: 1 });
    const settings = adaptationSettings({ maxIterations: 4, interval: 2, learningRate: 1e-3 });
    const adapt = async (device: 'cpu' | 'webgpu'): ReturnType<SliceAdapter['adapt']> => {
      await using adapter = new SliceAdapter(model(kind), settings, { device, threads: 1 });
      return await adapter.adapt(slice);
    };
    const [want, got] = [await adapt('cpu'), await adapt('webgpu')];
    expect(got.outcome.iterations).toBe(want.outcome.iterations);
    expect(got.outcome.validation.last).toBeCloseTo(want.outcome.validation.last, 4);
    expect(relativeError(got.unadapted.data, want.unadapted.data)).toBeLessThan(1e-4);
    // Adam divides by the size of a gradient: where that is next to nothing, rounding decides over the step.
    expect(relativeError(got.image.data, want.image.data)).toBeLessThan(1e-3);
  });
});
