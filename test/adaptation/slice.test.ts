// Adaptation of an untrained network to small simulated scans.
import { beforeAll, describe, expect, test } from 'vitest';
import { type AdaptationOptions, adaptationSettings } from '#larmor/adaptation/options.js';
import { prepareSlice } from '#larmor/adaptation/prepare.js';
import { type AdaptedSlice, SliceAdapter } from '#larmor/adaptation/slice.js';
import type { MeasuredSlice } from '#larmor/adaptation/viewpoint.js';
import { adaptJointly } from '#larmor/adaptation/volume.js';
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import type { Model } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { chooses } from '#larmor/networks/parameter-choice.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { type SamplingMask, sampledCount } from '#larmor/sampling/mask.js';
import { objectMedian } from '#larmor/simulation/magnitude.js';
import { renderPhantom } from '#larmor/simulation/phantom.js';
import { SimulatedScanner } from '#larmor/simulation/scan.js';
import { relativeError } from '../support/complex.js';
import { simulatedSlices } from '../support/simulated-slices.js';

const SIZE = 32;
const COILS = 3;
const network = createNetwork('unet', { channels: 4, pools: 2, residual: true, affine: true });
const model: Model = {
  network,
  weights: ParameterStore.initialise(network.parameters, 1),
  input: 'sense',
  notes: {},
};
let mask: SamplingMask;
let slices: MeasuredSlice[];

beforeAll(async () => {
  slices = await simulatedSlices({ size: SIZE, coils: COILS, count: 2 });
  [{ mask }] = slices;
});

async function adapt(options: AdaptationOptions, ...measured: readonly MeasuredSlice[]): Promise<AdaptedSlice[]> {
  await using adapter = new SliceAdapter(model, adaptationSettings(options), { threads: 1 });
  const results: AdaptedSlice[] = [];
  for (const slice of measured) results.push(await adapter.adapt(slice));
  return results;
}

const QUICK: AdaptationOptions = { maxIterations: 20, learningRate: 3e-3, interval: 2 };

test('lowers the loss of samples it never trained on, and changes the image', async () => {
  const [{ outcome, image, unadapted }] = await adapt(QUICK, slices[0]);
  expect(outcome).toMatchObject({ verdict: 'adapted', iterations: 20 });
  expect(outcome.validation.best).toBeLessThan(0.8 * outcome.validation.first);
  expect(image.shape).toEqual([SIZE, SIZE]);
  expect(image.data).not.toEqual(unadapted.data);
});

test('repeats bit for bit, and owes nothing to the slice before', async () => {
  const [first] = await adapt(QUICK, slices[0]);
  const [, again] = await adapt(QUICK, slices[1], slices[0]);
  expect(again.image.data).toEqual(first.image.data);
  expect(again.outcome.curve).toEqual(first.outcome.curve);
});

test('shows the images on the way, those that stopping there gives, and changes nothing by it', async () => {
  const [plain] = await adapt({ ...QUICK, keep: 'last' }, slices[0]);
  const [stopped] = await adapt({ ...QUICK, keep: 'last', maxIterations: 8 }, slices[0]);
  const shown = new Map<number, ComplexArray>();
  await using adapter = new SliceAdapter(model, adaptationSettings({ ...QUICK, keep: 'last' }), { threads: 1 });
  const show = (iteration: number, image: ComplexArray): void => void shown.set(iteration, image);
  const watched = await adapter.adapt(slices[0], { watch: { every: 4, show } });
  expect([...shown.keys()]).toEqual([4, 8, 12, 16, 20]);
  expect(shown.get(8)?.data).toEqual(stopped.image.data);
  expect(shown.get(20)?.data).toEqual(plain.image.data);
  expect(watched.image.data).toEqual(plain.image.data);
});

test('comes back unadapted when the starting weights already explain the held-out samples', async () => {
  // One coil that sees all alike, and a last layer of zeros: the output is the input, whose samples are those measured.
  const kspace: ComplexArray = { data: slices[0].kspace.data.slice(0, 2 * SIZE * SIZE), shape: [1, SIZE, SIZE] };
  const maps: ComplexArray = { data: Float32Array.from(kspace.data, (_, i) => (i + 1) % 2), shape: kspace.shape };
  const weights = model.weights.clone();
  for (const name of ['up_conv.1.1.weight', 'up_conv.1.1.bias']) weights.get(name).fill(0);
  await using adapter = new SliceAdapter({ ...model, weights }, adaptationSettings(QUICK), { threads: 1 });
  const { outcome, image, unadapted } = await adapter.adapt({ kspace, maps, mask, seed: 1 });
  expect(outcome).toMatchObject({ verdict: 'not-needed', iterations: 20 });
  expect(outcome.validation.best).toBe(outcome.validation.first);
  expect(outcome.validation.last).toBeGreaterThan(outcome.validation.first);
  expect(image.data).toEqual(unadapted.data);
});

test('fully sampled slices are left to the model, alone and as a volume', async () => {
  const volume = await renderPhantom({ family: 'limb', seed: 2, size: SIZE });
  const scanner = new SimulatedScanner(objectMedian(volume), { coils: COILS, snr: 20, seed: 3 });
  const { kspace, maps } = await scanner.scan({ data: volume.data, shape: [SIZE, SIZE] });
  const full = { kspace, maps, mask: { data: new Uint8Array(SIZE).fill(1), shape: [SIZE] as const }, seed: 1 };
  const settings = adaptationSettings({ ...QUICK, volumeIterations: 2 });
  expect(await adaptJointly(model, settings, 2, async () => full, { threads: 1 })).toBeUndefined();
  await using adapter = new SliceAdapter(model, settings, { threads: 1 });
  const { outcome, image, unadapted } = await adapter.adapt(full);
  expect(outcome).toMatchObject({ verdict: 'not-needed', stop: 'fully-sampled', iterations: 0, bestIteration: 0 });
  expect(outcome.validation.first).toBeGreaterThan(0);
  expect(image).toEqual(unadapted);
  expect((await adapter.weights())?.data).toEqual(model.weights.data);
});

test.each([
  ['decoder', 'decoder'],
  ['norm', 'norm'],
  ['ends', 'ends'],
  ['low-rank adapters', { lowRank: 2 }],
] as const)('trains only a part when asked: %s', async (_, parameters) => {
  await using adapter = new SliceAdapter(model, adaptationSettings({ ...QUICK, parameters }), { threads: 1 });
  expect(await adapter.weights()).toBeUndefined();
  const { outcome, image } = await adapter.adapt(slices[0]);
  expect(outcome.validation.best).toBeLessThan(outcome.validation.first);
  const weights = (await adapter.weights()) ?? model.weights;
  expect(weights.specs).toEqual(network.parameters);
  for (const spec of network.parameters) {
    const frozen = typeof parameters === 'string' && !chooses(parameters, spec);
    if (frozen) expect(weights.get(spec.name)).toEqual(model.weights.get(spec.name));
    else expect(weights.get(spec.name)).not.toEqual(model.weights.get(spec.name));
  }
  // A network with these weights, unadapted, gives the adapted image.
  await using other = new SliceAdapter({ ...model, weights }, adaptationSettings({ maxIterations: 1 }), { threads: 1 });
  expect(relativeError((await other.adapt(slices[0])).unadapted.data, image.data)).toBeLessThan(1e-5);
});

test.each([
  ['equivariance', { equivariance: 0.5 }],
  ['total variation', { totalVariation: 0.05 }],
])('a penalty changes what is learnt, the same each time: %s', async (_, penalties) => {
  const [plain] = await adapt(QUICK, slices[0]);
  const [once] = await adapt({ ...QUICK, penalties }, slices[0]);
  const [again] = await adapt({ ...QUICK, penalties }, slices[0]);
  expect(once.unadapted.data).toEqual(plain.unadapted.data);
  expect(once.outcome.validation.first).toBe(plain.outcome.validation.first);
  expect(once.image.data).not.toEqual(plain.image.data);
  expect(again.image.data).toEqual(once.image.data);
});

test('equivariance needs the image A^H y for input', () => {
  const options = [{ input: 'split-rss' }, { loss: { samples: 'disjoint' } }] as const;
  for (const option of options) {
    const settings = adaptationSettings({ ...option, penalties: { equivariance: 1 } });
    expect(() => new SliceAdapter(model, settings)).toThrow('penalties.equivariance');
  }
});

describe('other starting weights', () => {
  test('the previous slice: told relative to the model, and never worse', async () => {
    const [cold] = await adapt(QUICK, slices[1]);
    const [, warm] = await adapt({ ...QUICK, start: 'previous-slice' }, slices[0], slices[1]);
    expect(warm.outcome.validation.first).toBe(cold.outcome.validation.first);
    expect(warm.outcome.curve[0].heldOut).toBeLessThan(cold.outcome.curve[0].heldOut);
    expect(warm.outcome.verdict).toBe('adapted');
  });

  test('the volume: joint steps help every slice', async () => {
    const settings = adaptationSettings({ ...QUICK, volumeIterations: 15, volumeSlices: 2 });
    const steps: number[] = [];
    const joint = await adaptJointly(model, settings, 2, async (i) => slices[i], {
      threads: 1,
      onStep: (step) => steps.push(step),
    });
    expect(steps).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
    const cold = await adapt(QUICK, ...slices);
    await using adapter = new SliceAdapter(model, settings, { threads: 1, joint });
    for (const [i, slice] of slices.entries()) {
      const { outcome } = await adapter.adapt(slice);
      expect(outcome.validation.first).toBe(cold[i].outcome.validation.first);
      expect(outcome.curve[0].heldOut).toBeLessThan(cold[i].outcome.curve[0].heldOut);
    }
  });
});

describe('preparation', () => {
  const prepare = (heldOut: AdaptationOptions['heldOut']) =>
    prepareSlice(slices[0], model, adaptationSettings({ heldOut }));
  const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);

  test('held-out and training samples share out the mask', async () => {
    const { judged, whole, draw, maskKinds } = await prepare({ fraction: 0.1 });
    expect(maskKinds).toEqual({ mask: 'lines', lossMask: 'points' });
    expect(sum(judged.heldOutMask)).toBe(Math.floor(0.1 * sampledCount(mask) * SIZE));
    for (let i = 0; i < SIZE * SIZE; i += 1)
      expect(judged.lossMask[i] + judged.heldOutMask[i]).toBe(mask.data[i % SIZE]);
    expect(whole).toBe(judged);
    expect(draw).toBeUndefined();
  });

  test('lines stay lines', async () => {
    const { judged, maskKinds } = await prepare({ kind: 'lines', fraction: 0.1 });
    expect(maskKinds).toEqual({ mask: 'lines', lossMask: 'lines' });
    expect(judged.lossMask).toHaveLength(SIZE);
    expect(sum(judged.lossMask) + sum(judged.heldOutMask)).toBe(sampledCount(mask));
  });

  test('image and k-space are scaled alike; held-out samples can leave the input', async () => {
    const kept = await prepare({});
    const removed = await prepare({ removeFromInput: true });
    const { kspace } = slices[0];
    const strongest = kspace.data.reduce(
      (best, value, i) => (Math.abs(value) > Math.abs(kspace.data[best]) ? i : best),
      0,
    );
    const unit = (await kept.image(new Float32Array(2 * SIZE * SIZE).fill(1))).data[0];
    expect(kept.data.kspace[strongest] * unit).toBeCloseTo(kspace.data[strongest], 4);
    expect(removed.judged.image).not.toEqual(kept.judged.image);
    expect(removed.whole.image).toEqual(kept.whole.image);
    expect(removed.judged.heldOutMask).toEqual(kept.judged.heldOutMask);
  });

  test('the paper sees the root sum of squares of real and imaginary parts: nothing negative', async () => {
    const { judged } = await prepareSlice(slices[0], model, adaptationSettings({ preset: 'paper' }));
    expect(Math.min(...judged.image)).toBeGreaterThanOrEqual(0);
  });

  test('maps of another size are refused', async () => {
    const maps: ComplexArray = { data: new Float32Array(2 * COILS * 4), shape: [COILS, 2, 2] };
    await expect(prepareSlice({ ...slices[0], maps }, model, adaptationSettings())).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    });
  });
});

test('an abort stops the run', async () => {
  const controller = new AbortController();
  await using adapter = new SliceAdapter(model, adaptationSettings({ ...QUICK, maxIterations: 1000 }), { threads: 1 });
  const options = { signal: controller.signal, onStep: () => controller.abort(new Error('enough')) };
  await expect(adapter.adapt(slices[0], options)).rejects.toThrow('enough');
});
