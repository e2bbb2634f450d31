// A disjoint loss: what the network sees, what the loss looks at and what judges share no sample.
import { beforeAll, describe, expect, test } from 'vitest';
import { type AdaptationOptions, adaptationSettings } from '#larmor/adaptation/options.js';
import { type AdaptationSlice, prepareSlice } from '#larmor/adaptation/prepare.js';
import { SliceAdapter } from '#larmor/adaptation/slice.js';
import { adaptJointly } from '#larmor/adaptation/volume.js';
import type { Model } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { type SimulatedSlice, simulatedSlices } from '../support/simulated-slices.js';

const SIZE = 32;
const modelOf = (kind: string, config: unknown): Model => {
  const network = createNetwork(kind, config);
  return { network, weights: ParameterStore.initialise(network.parameters, 1), input: 'sense', notes: {} };
};
const unet = modelOf('unet', { channels: 4, pools: 2, residual: true, affine: true });
/** Takes the mask, as unrolled networks do. */
const virtualCoil = modelOf('varnet', { cascades: 1, channels: 4, pools: 2, sensitivity: null });
const DISJOINT: AdaptationOptions = { loss: { samples: 'disjoint' }, maxIterations: 12, interval: 4 };
let slices: SimulatedSlice[];

beforeAll(async () => {
  slices = await simulatedSlices({ size: SIZE, coils: 3, count: 2 });
});

const prepare = (options: AdaptationOptions, model = unet): Promise<AdaptationSlice> =>
  prepareSlice(slices[0], model, adaptationSettings(options));
const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);

describe('samples', () => {
  test('every step shares out all samples but the held-out ones, each time otherwise', async () => {
    const { judged, whole, draw } = await prepare({ ...DISJOINT, heldOut: { fraction: 0.1 } });
    const sampled = (i: number): number => slices[0].mask.data[i % SIZE];
    const [first, second, again] = await Promise.all([draw?.(0), draw?.(1), draw?.(0)]);
    for (const step of [first, second])
      for (let i = 0; i < SIZE * SIZE; i += 1) {
        expect((step?.mask[i] ?? 0) + (step?.lossMask[i] ?? 0) + judged.heldOutMask[i]).toBe(sampled(i));
        expect(judged.mask[i] + judged.heldOutMask[i]).toBe(sampled(i));
        expect(whole.mask[i]).toBe(sampled(i));
      }
    expect(second?.mask).not.toEqual(first?.mask);
    expect(again).toEqual(first);
    const trained = sum(judged.mask);
    expect(sum(first?.lossMask ?? judged.mask)).toBe(Math.floor(0.4 * trained));
  });

  test('held-out lines leave points to share out', async () => {
    const { judged, draw, maskKinds } = await prepare({ ...DISJOINT, heldOut: { kind: 'lines', fraction: 0.2 } });
    expect(maskKinds).toEqual({ mask: 'points', lossMask: 'points' });
    const step = (await draw?.(0)) ?? judged;
    for (let i = 0; i < SIZE * SIZE; i += 1) {
      expect(step.mask[i] + step.lossMask[i] + step.heldOutMask[i]).toBe(slices[0].mask.data[i % SIZE]);
      expect(step.heldOutMask[i]).toBe(step.heldOutMask[i % SIZE]);
    }
  });

  test('the centre stays in the input of networks that take the mask', async () => {
    const { draw, judged } = await prepare(DISJOINT, virtualCoil);
    const step = (await draw?.(0)) ?? judged;
    for (let y = SIZE / 2 - 2; y < SIZE / 2 + 2; y += 1)
      for (let x = SIZE / 2 - 2; x < SIZE / 2 + 2; x += 1) expect(step.lossMask[y * SIZE + x]).toBe(0);
  });

  test.each([
    ['of a network that takes the mask is their image', virtualCoil, false],
    ['of a network that does not is amplified by the share left out', unet, true],
  ])('the input of fewer samples %s', async (_, model, amplified) => {
    const { image: inDataUnits, draw, judged } = await prepare(DISJOINT, model);
    const unit = (await inDataUnits(new Float32Array(2 * SIZE * SIZE).fill(1))).data[0];
    const step = (await draw?.(3)) ?? judged;
    const seen = { data: Uint8Array.from(step.mask), shape: [SIZE, SIZE] as const };
    const { kspace, maps, mask } = slices[0];
    const image = await new EncodingOperator({ maps, mask: seen }).adjoint(kspace);
    const all = mask.data.reduce((total, bit) => total + bit, 0) * SIZE;
    const factor = (amplified ? all / sum(step.mask) : 1) / unit;
    for (let i = 0; i < SIZE * SIZE; i += 1) {
      expect(step.image[i]).toBeCloseTo(factor * image.data[2 * i], 5);
      expect(step.image[SIZE * SIZE + i]).toBeCloseTo(factor * image.data[2 * i + 1], 5);
    }
  });
});

describe.each([
  ['a U-Net', unet],
  ['a network that takes the mask', virtualCoil],
])('adaptation of %s', (_, model) => {
  const adapt = async (threads: number) => {
    await using adapter = new SliceAdapter(model, adaptationSettings(DISJOINT), { threads });
    return adapter.adapt(slices[0]);
  };

  test('lowers the held-out loss, told every interval; the image is the same for any number of threads', async () => {
    const one = await adapt(1);
    expect(one.outcome.curve.map(({ iteration }) => iteration)).toEqual([0, 4, 8, 12]);
    expect(one.outcome.validation.best).toBeLessThan(one.outcome.validation.first);
    const two = await adapt(2);
    expect(two.image.data).toEqual(one.image.data);
    expect(two.outcome.curve).toEqual(one.outcome.curve);
  });

  test('the network before adaptation sees every sample', async () => {
    const { unadapted } = await adapt(1);
    await using all = new SliceAdapter(model, adaptationSettings({ maxIterations: 1 }), { threads: 1 });
    expect(unadapted.data).toEqual((await all.adapt(slices[0])).unadapted.data);
  });
});

test('joint steps over a volume draw for every slice', async () => {
  const settings = adaptationSettings({ ...DISJOINT, volumeIterations: 8, volumeSlices: 2 });
  const joint = await adaptJointly(unet, settings, 2, async (i) => slices[i], { threads: 1 });
  await using adapter = new SliceAdapter(unet, settings, { threads: 1, joint });
  const { outcome } = await adapter.adapt(slices[1]);
  expect(outcome.curve[0].heldOut).toBeLessThan(outcome.validation.first);
});

test('a network that is computed again on the way back adapts to the same bits', async () => {
  const modl = modelOf('modl', { unrolls: 2, blocks: 1, channels: 4, cgIterations: 4 });
  const adapt = async (recompute: boolean) => {
    await using adapter = new SliceAdapter(modl, adaptationSettings({ ...DISJOINT, keep: 'last', recompute }), {
      threads: 1,
    });
    return adapter.adapt(slices[0]);
  };
  const { image, unadapted } = await adapt(true);
  expect(image.data).not.toEqual(unadapted.data);
  expect(image.data).toEqual((await adapt(false)).image.data);
});
