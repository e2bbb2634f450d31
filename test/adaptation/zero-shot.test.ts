// Zero-shot learning on a small simulated slice, and how it is asked for.
import { beforeAll, expect, test } from 'vitest';
import { type AdaptationOptions, adaptationSettings } from '#larmor/adaptation/options.js';
import { type AdaptationSlice, prepareSlice } from '#larmor/adaptation/prepare.js';
import { type AdaptedSlice, SliceAdapter } from '#larmor/adaptation/slice.js';
import { untrainedModel } from '#larmor/adaptation/zero-shot.js';
import type { ComplexArray } from '#larmor/arrays/complex-array.js';
import { openScan } from '#larmor/io/scan.js';
import type { Model } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { Mask } from '#larmor/operators/mask.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { createMask, sampledCount } from '#larmor/sampling/mask.js';
import { objectMedian } from '#larmor/simulation/magnitude.js';
import { renderPhantom } from '#larmor/simulation/phantom.js';
import { SimulatedScanner } from '#larmor/simulation/scan.js';
import { cgSense } from '#larmor/solvers/sense.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { writeSyntheticScan } from '../support/scans.js';
import type { SimulatedSlice } from '../support/simulated-slices.js';

const SIZE = 48;
const file = temporaryFolder();
const network = createNetwork('unrolled', { cascades: 2, channels: 4, pools: 2, iterations: 10 });
const model: Model = { network, weights: ParameterStore.initialise(network.parameters, 1), input: 'sense', notes: {} };
const mask = createMask({ type: 'random', columns: SIZE, acceleration: 3, centerFraction: 0.15, seed: 1 });
/** Twelve epochs of five pairs. */
const QUICK: AdaptationOptions = {
  preset: 'zero-shot',
  learningRate: 3e-3,
  maxIterations: 60,
  interval: 5,
  loss: { pairs: 5 },
};

let slice: SimulatedSlice;
let truth: ComplexArray;

beforeAll(async () => {
  const { data } = await renderPhantom({ family: 'head', seed: 2, size: SIZE });
  const object = { data, shape: [SIZE, SIZE] };
  const scanner = new SimulatedScanner(objectMedian(object), { coils: 4, snr: 200, seed: 3 });
  const { kspace, maps } = await scanner.scan(object);
  const full = { data: new Uint8Array(SIZE).fill(1), shape: [SIZE] as const };
  truth = await new EncodingOperator({ maps, mask: full }).adjoint(kspace);
  slice = { kspace: await new Mask(mask, kspace.shape).apply(kspace), maps, mask, seed: 5 };
});

async function learn(): Promise<AdaptedSlice> {
  await using adapter = new SliceAdapter(model, adaptationSettings(QUICK, network), { threads: 1 });
  return adapter.adapt(slice);
}

const error = ({ data }: ComplexArray): number =>
  Math.sqrt(data.reduce((sum, value, i) => sum + (value - truth.data[i]) ** 2, 0));

test('beats CG-SENSE of the best weight from the samples of the slice alone, and repeats bit for bit', async () => {
  const { image, unadapted, outcome } = await learn();
  const weights = [0.001, 0.003, 0.01, 0.03, 0.1];
  const rivals = await Promise.all(weights.map((lambda) => cgSense(slice.kspace, slice, { lambda })));
  expect(error(image)).toBeLessThan(0.95 * Math.min(...rivals.map(({ x }) => error(x))));
  expect(error(image)).toBeLessThan(0.9 * error(unadapted));
  expect(outcome.verdict).toBe('adapted');
  expect(outcome.bestIteration % 5).toBe(0);
  expect((await learn()).image.data).toEqual(image.data);
});

test('a fifth of the samples judges; 25 pairs divide the others, and come again epoch by epoch', async () => {
  const settings = adaptationSettings({ preset: 'zero-shot' }, network);
  expect(settings).toMatchObject({ learningRate: 5e-4, maxIterations: 7500, interval: 25, keep: 'best' });
  const { judged, draw } = await prepareSlice(slice, model, settings);
  const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
  const samples = sampledCount(mask) * SIZE;
  expect(sum(judged.heldOutMask)).toBe(Math.floor(0.2 * samples));
  const pair = async (step: number): Promise<AdaptationSlice['data']> => (await draw?.(step)) ?? {};
  const left = sum(judged.mask);
  expect(left).toBe(samples - sum(judged.heldOutMask));
  const drawn = new Set<string>();
  for (let step = 0; step < 25; step += 1) {
    const { mask: seen, lossMask } = await pair(step);
    expect(sum(lossMask)).toBe(Math.floor(0.4 * (left - 16)));
    for (let y = 22; y < 26; y += 1) for (let x = 22; x < 26; x += 1) expect(seen[y * SIZE + x]).toBe(1);
    drawn.add(String(lossMask));
  }
  expect(drawn.size).toBe(25);
  expect(await pair(28)).toEqual(await pair(3));
});

test('needs no model: a network with random weights learns on every slice', async () => {
  await using scan = await openScan(await writeSyntheticScan(file('scan.h5'), { slices: 1, coils: 3, size: 32 }));
  const adapt: AdaptationOptions = { ...QUICK, maxIterations: 4, interval: 2, loss: { pairs: 2 }, seed: 3 };
  const result = await reconstruct(scan, { adapt, undersample: { acceleration: 2, centerFraction: 0.3 }, threads: 1 });
  expect(result.manifest).toMatchObject({ method: 'unrolled', model: { kind: 'unrolled' } });
  const { weights } = untrainedModel(3);
  expect(weights.data).not.toEqual(untrainedModel(4).weights.data);
  await expect(reconstruct(scan, { adapt: { preset: 'paper' } })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});
