// Adaptation of networks that give coil images by maps of their own: what they see, how they are judged, and that they learn.
import { beforeAll, describe, expect, test } from 'vitest';
import { type AdaptationOptions, adaptationSettings } from '#larmor/adaptation/options.js';
import { type AdaptationSlice, prepareSlice } from '#larmor/adaptation/prepare.js';
import { SliceAdapter } from '#larmor/adaptation/slice.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { calibrationColumns } from '#larmor/networks/calibration-columns.js';
import type { Model } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { brightness } from '#larmor/networks/network-input.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createPredictor } from '#larmor/networks/predictor.js';
import { importCheckpoint } from '#larmor/networks/torch-model.js';
import { Fft2 } from '#larmor/operators/fft2.js';
import { buildTrainingGraphs } from '#larmor/training/graph.js';
import { LOSSES } from '#larmor/training/losses.js';
import { relativeError, uniform } from '../support/graph-checks.js';
import { evaluate } from '../support/interpreter.js';
import { describeShared, shared } from '../support/shared.js';
import { type SimulatedSlice, simulatedSlices } from '../support/simulated-slices.js';

const SIZE = 32;
const COILS = 3;
const POINTS = SIZE * SIZE;
const network = createNetwork('varnet', {
  cascades: 2,
  channels: 4,
  pools: 2,
  sensitivity: { channels: 2, pools: 2 },
});
const model: Model = {
  network,
  weights: ParameterStore.initialise(network.parameters, 1),
  input: 'sense',
  notes: {},
};
let slice: SimulatedSlice;
let centre: Float32Array;

beforeAll(async () => {
  [slice] = await simulatedSlices({ size: SIZE, coils: COILS, count: 1 });
  centre = calibrationColumns(Float32Array.from(slice.mask.data));
});

const settingsOf = (options: AdaptationOptions = {}): ReturnType<typeof adaptationSettings> =>
  adaptationSettings(options, network);

describe('samples', () => {
  const expectShared = (
    { judged, whole, data }: AdaptationSlice,
    step: Readonly<Record<string, Float32Array>>,
  ): void => {
    for (let i = 0; i < POINTS; i += 1) {
      const [sampled, inCentre] = [slice.mask.data[i % SIZE], centre[i % SIZE]];
      expect(step.mask[i] + step.lossMask[i] + step.heldOutMask[i]).toBe(sampled);
      expect(judged.mask[i] + judged.heldOutMask[i]).toBe(sampled);
      expect(whole.mask[i]).toBe(sampled);
      expect(data.calibrationMask[i]).toBe(inCentre);
      if (inCentre === 1) expect(step.mask[i]).toBe(1);
    }
  };

  test('all are shared out but those that coil maps are made of, which the network always sees', async () => {
    const prepared = await prepareSlice({ ...slice, maps: undefined }, model, settingsOf());
    const [first, second] = [await prepared.draw?.(0), await prepared.draw?.(1)];
    if (!first || !second) throw new Error('a disjoint loss draws');
    expectShared(prepared, first);
    expectShared(prepared, second);
    expect(second.mask).not.toEqual(first.mask);
  });

  test('columns that were never acquired are none', async () => {
    const kspace = { data: slice.kspace.data.slice(), shape: slice.kspace.shape };
    const last = slice.mask.data.lastIndexOf(1);
    for (let row = 0; row < COILS * SIZE; row += 1)
      kspace.data.fill(0, 2 * (row * SIZE + last), 2 * (row * SIZE + last + 1));
    const { whole } = await prepareSlice({ ...slice, kspace }, model, settingsOf());
    expect([whole.mask[last], whole.mask[SIZE / 2]]).toEqual([0, 1]);
  });

  test('misfits are those of the k-space of the coil images, summed over coils', async () => {
    const prepared = await prepareSlice(slice, model, settingsOf());
    const images = await new Fft2(slice.kspace.shape).adjoint(slice.kspace);
    const magnitudes = Float32Array.from({ length: POINTS }, (_, i) => {
      let sum = 0;
      for (let c = 0; c < COILS; c += 1)
        sum += images.data[2 * (c * POINTS + i)] ** 2 + images.data[2 * (c * POINTS + i) + 1] ** 2;
      return Math.sqrt(sum);
    });
    const scale = 1 / brightness(magnitudes);
    const exact = await prepared.misfits(images.data.map((value) => scale * value));
    const none = await prepared.misfits(new Float32Array(images.data.length));
    const held = Array.from(prepared.judged.heldOutMask.keys()).filter((i) => prepared.judged.heldOutMask[i] === 1);
    const wanted = held.map((i) => {
      let sum = 0;
      for (let c = 0; c < COILS; c += 1)
        sum +=
          Math.abs(slice.kspace.data[2 * (c * POINTS + i)]) + Math.abs(slice.kspace.data[2 * (c * POINTS + i) + 1]);
      return scale * sum;
    });
    expect(relativeError(none, wanted)).toBeLessThan(1e-5);
    expect(Math.max(...exact)).toBeLessThan(1e-5 * Math.max(...wanted));
  });
});

test('gradients of the adaptation loss agree with central differences in double precision', async () => {
  const small = createNetwork('varnet', { cascades: 1, channels: 2, pools: 1, sensitivity: { channels: 2, pools: 1 } });
  const { step } = buildTrainingGraphs({
    network: small,
    loss: LOSSES.self,
    shapes: { coils: 2, height: 9, width: 8, mask: 'points', lossMask: 'points' },
  });
  const random = new MT19937(4);
  const part = (which: number): Float32Array => Float32Array.from({ length: 72 }, (_, i) => (i % 5 === which ? 1 : 0));
  const calibrationMask = Float32Array.from({ length: 72 }, (_, i) => (i % 8 === 3 || i % 8 === 4 ? 1 : 0));
  const [lossMask, heldOutMask] = [part(0), part(1)];
  const mask = Float32Array.from(lossMask, (inLoss, i) => 1 - inLoss - heldOutMask[i]);
  const weights = ParameterStore.initialise(small.parameters, 1);
  const feeds: Record<string, Float32Array | Float64Array> = {
    ...Object.fromEntries(small.parameters.map(({ name }) => [name, weights.get(name)])),
    ...{ mask, lossMask, heldOutMask, calibrationMask, kspace: uniform(random, 2 * 2 * 72) },
  };
  const outputs = new Map(step.outputs);
  const output = (name: string) => {
    const value = outputs.get(name);
    if (!value) throw new Error(`no output ${name}`);
    return value;
  };
  const gradients = evaluate(
    step,
    feeds,
    small.parameters.map(({ name }) => output(`gradient.${name}`)),
  );
  const lossAt = (moved: Readonly<Record<string, Float64Array>>): number =>
    evaluate(step, { ...feeds, ...moved }, [output('loss')])[0].data[0];
  for (let trial = 0; trial < 3; trial += 1) {
    const directions = small.parameters.map(({ name }) => uniform(random, weights.get(name).length));
    const at = (length: number): number =>
      lossAt(
        Object.fromEntries(
          small.parameters.map(({ name }, i) => [
            name,
            Float64Array.from(weights.get(name), (value, k) => value + length * directions[i][k]),
          ]),
        ),
      );
    const difference = (at(1e-6) - at(-1e-6)) / 2e-6;
    const along = gradients.reduce(
      (sum, { data }, i) => sum + data.reduce((inner, value, k) => inner + value * directions[i][k], 0),
      0,
    );
    expect(Math.abs(along - difference)).toBeLessThan(1e-5 * Math.max(Math.abs(difference), 1e-3));
  }
});

describe('a slice', () => {
  const quick: AdaptationOptions = { maxIterations: 20, interval: 5, learningRate: 3e-3, average: false };

  test.each([
    ['by samples that the network does not see', {}],
    ['by all samples', { loss: { samples: 'all' } }],
  ] as const)('is learnt %s', async (_, options) => {
    await using adapter = new SliceAdapter(model, settingsOf({ ...quick, ...options }), { threads: 1 });
    const { outcome, image, unadapted } = await adapter.adapt({ ...slice, maps: undefined });
    expect(outcome.verdict).toBe('adapted');
    expect(outcome.validation.best).toBeLessThan(0.9 * outcome.validation.first);
    expect(image.shape).toEqual(slice.kspace.shape);
    expect(image.data).not.toEqual(unadapted.data);
    using predictor = await createPredictor({ ...model, coils: COILS, height: SIZE, width: SIZE, threads: 1 });
    const mask = Float32Array.from(slice.mask.data);
    const plain = await predictor.predict({ kspace: slice.kspace.data, mask, calibrationMask: centre });
    expect(relativeError(unadapted.data, plain)).toBeLessThan(1e-4);
  });

  test('has no use for equivariance, which looks at one image', () => {
    const settings = settingsOf({ penalties: { equivariance: 1 } });
    expect(() => new SliceAdapter(model, settings)).toThrow(/equivariance needs a network that gives one image/);
  });
});

describeShared("fastMRI's VarNet", () => {
  test('adapts as it comes out of its checkpoint', async () => {
    const imported = await importCheckpoint(shared('fixtures/varnet_tiny.state_dict.pt'));
    const settings = settingsOf({ maxIterations: 12, interval: 4, learningRate: 3e-3, notNeeded: { after: 0 } });
    await using adapter = new SliceAdapter(imported, settings, { threads: 1 });
    const { outcome } = await adapter.adapt(slice);
    expect(outcome.bestIteration).toBeGreaterThan(0);
    expect(outcome.validation.best).toBeLessThan(outcome.validation.first);
  });
});
