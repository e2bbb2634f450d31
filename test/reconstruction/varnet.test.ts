// Method `varnet`: fastMRI's result on its own measurement, any number of slices at once, and what it refuses.
import { beforeAll, expect, test } from 'vitest';
import { ScanWriter } from '#larmor/io/fastmri-writer.js';
import { float32Tensor, readSafetensors } from '#larmor/io/safetensors.js';
import { openScan } from '#larmor/io/scan.js';
import { calibrationColumns } from '#larmor/networks/calibration-columns.js';
import { type Model, saveModel } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { relativeError } from '../support/graph-checks.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { writeSyntheticScan } from '../support/scans.js';
import { describeShared, shared } from '../support/shared.js';

const file = temporaryFolder();
const path = file('scan.h5');
const modelPath = file('varnet.safetensors');
const undersample = { acceleration: 2, centerFraction: 0.3, seed: 1 };

function model(kind: 'unet' | 'varnet', config: object): Model {
  const network = createNetwork(kind as string, config);
  return { network, weights: ParameterStore.initialise(network.parameters, 1), input: 'sense', notes: {} };
}

const varnet = model('varnet', { cascades: 2, channels: 2, pools: 2, sensitivity: { channels: 2, pools: 2 } });

beforeAll(async () => {
  await writeSyntheticScan(path, { slices: 3, coils: 4, size: 32, noise: 1e-3 });
  await saveModel(modelPath, varnet);
});

describeShared("fastMRI's VarNet in PyTorch", () => {
  test('from its checkpoint to its image', async () => {
    const fixture = await readSafetensors(shared('fixtures/varnet_tiny.safetensors'));
    const { data, shape } = float32Tensor(fixture, 'masked_kspace');
    const [, coils, ky, kx] = shape;
    const mask = { data: fixture.tensors.get('mask')?.data as Uint8Array, shape: [kx] as const };
    const scan = file('fixture.h5');
    await using writer = await ScanWriter.create(scan, { slices: 1, coils, matrix: [ky, kx], mask });
    await writer.writeKspace(0, { data, shape: [coils, ky, kx] });
    await writer.commit();
    const { image, manifest, network } = await reconstruct(scan, {
      model: shared('fixtures/varnet_tiny.state_dict.pt'),
    });
    expect(manifest.method).toBe('varnet');
    expect(network).toBeUndefined();
    expect(relativeError(image.data, float32Tensor(fixture, 'output').data)).toBeLessThan(1e-5);
  });
});

test('neither parallelism nor the way through a file changes the image', async () => {
  const one = await reconstruct(path, { model: varnet, undersample, threads: 1 });
  const three = await reconstruct(path, {
    model: modelPath,
    method: 'varnet',
    undersample,
    threads: 1,
    parallelism: 3,
  });
  expect(three.image).toEqual(one.image);
  expect(one.metrics?.nmse).toBeGreaterThan(0);
  expect(one.networkMetrics).toBeUndefined();
});

test('scales with the data', async () => {
  const { image } = await reconstruct(path, { model: varnet, undersample, slices: { first: 0, end: 1 } });
  const loud = file('loud.h5');
  await using writer = await ScanWriter.create(loud, { slices: 1, coils: 4, matrix: [32, 32] });
  await using scan = await openScan(path);
  const { data, shape } = await scan.readKspace(0);
  await writer.writeKspace(0, { data: data.map((value) => 1e-6 * value), shape });
  await writer.commit();
  const quiet = await reconstruct(loud, { model: varnet, undersample });
  expect(
    relativeError(
      quiet.image.data.map((value) => 1e6 * value),
      image.data,
    ),
  ).toBeLessThan(1e-4);
});

test('rejects with the reason when aborted', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const options = { model: varnet, undersample, signal: controller.signal, onProgress: () => controller.abort(reason) };
  await expect(reconstruct(path, options)).rejects.toBe(reason);
});

test('the network of one virtual coil takes maps like any that gives one image, and adapts', async () => {
  const virtual = { ...model('varnet', { cascades: 1, channels: 2, pools: 1, sensitivity: null }), input: 'split-rss' };
  const options = { model: virtual as Model, undersample, slices: { first: 0, end: 1 }, threads: 1 };
  const plain = await reconstruct(path, options);
  expect(plain.manifest.method).toBe('unrolled');
  const { slices } = await reconstruct(path, {
    ...options,
    adapt: { maxIterations: 6, learningRate: 1e-2, interval: 5 },
  });
  // Held-out samples judge the start, every fifth iteration and the end.
  expect(slices[0].adaptation?.curve.map(({ iteration }) => iteration)).toEqual([0, 5, 6]);
  expect(slices[0].adaptation?.validation.best).toBeLessThanOrEqual(slices[0].adaptation?.validation.first ?? 0);
});

test('adapts to every slice, alone or after the volume, and leaves fully sampled ones', async () => {
  const options = { model: varnet, undersample, threads: 1, slices: { first: 0, end: 2 } };
  const plain = await reconstruct(path, options);
  const adapt = { maxIterations: 10, interval: 5, learningRate: 1e-2, notNeeded: { after: 0 }, average: false };
  const { image, slices } = await reconstruct(path, { ...options, adapt: { ...adapt, volumeIterations: 2 } });
  expect(slices.map(({ adaptation }) => adaptation?.verdict)).toEqual(['adapted', 'adapted']);
  for (const { adaptation } of slices)
    expect(adaptation?.validation.best).toBeLessThan(adaptation?.validation.first ?? 0);
  expect(image.shape).toEqual(plain.image.shape);
  expect(image.data).not.toEqual(plain.image.data);
  const full = await reconstruct(path, { model: varnet, adapt, threads: 1, slices: { first: 0, end: 1 } });
  expect(full.slices[0].adaptation?.stop).toBe('fully-sampled');
});

test.each([
  ['no model', { method: 'varnet' }, 'ERR_ARGUMENT', /method varnet needs a model/],
  [
    'a network on images',
    { method: 'varnet', model: model('unet', { channels: 2, pools: 1 }) },
    'ERR_MODEL',
    /method varnet needs a network that gives coil images; .* kind unet, a network from image to image: use method unet/,
  ],
  [
    'its network in another method',
    { method: 'unet', model: varnet },
    'ERR_MODEL',
    /kind varnet, a network that gives coil images: use method varnet/,
  ],
])('refuses %s', async (_, options, code, message) => {
  await expect(reconstruct(path, { undersample, ...options })).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
});

test.each([
  [
    [1, 0, 1, 1, 1, 1, 0, 1],
    [0, 0, 1, 1, 1, 1, 0, 0],
  ],
  [
    [0, 1, 1, 1, 1, 0, 0, 1],
    [0, 0, 0, 1, 1, 0, 0, 0],
  ],
  [
    [1, 1, 1, 1, 1, 1, 1],
    [0, 1, 1, 1, 1, 1, 1],
  ],
])('calibration columns of %j', (mask, wanted) => {
  expect([...calibrationColumns(Float32Array.from(mask))]).toEqual(wanted);
});

test('refuses a mask without a centre', () => {
  expect(() => calibrationColumns(Float32Array.of(1, 1, 0, 1))).toThrow(
    expect.objectContaining({ code: 'ERR_MASK', message: expect.stringMatching(/1 and 2, must be measured/) }),
  );
});
