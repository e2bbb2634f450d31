import { truncateSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { magnitude } from '#larmor/arrays/magnitude.js';
import { espirit } from '#larmor/calibration/espirit.js';
import { openScan } from '#larmor/io/scan.js';
import { type Model, saveModel } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createUnet } from '#larmor/networks/unet.js';
import { EncodingOperator } from '#larmor/operators/encoding.js';
import { reconstruct } from '#larmor/reconstruction/reconstruct.js';
import { createMask } from '#larmor/sampling/mask.js';
import { temporaryFolder } from '../support/hdf5-files.js';
import { writeSyntheticScan } from '../support/scans.js';

const file = temporaryFolder();
const size = 32;
const path = file('scan.h5');
const undersampled = file('undersampled.h5');
const mask = createMask({ type: 'equispaced', columns: size, acceleration: 2, centerFraction: 0.3, seed: 1 });
const undersample = { acceleration: 2, centerFraction: 0.3, seed: 1 };

/** A small network; with weights of 0 its output is its input. */
function model(weights: 'zero' | 'random', config: object = {}): Model {
  const network = createUnet({ channels: 4, pools: 2, residual: true, ...config });
  const store =
    weights === 'zero' ? new ParameterStore(network.parameters) : ParameterStore.initialise(network.parameters, 1);
  return { network, weights: store, input: 'sense', notes: {} };
}

beforeAll(async () => {
  await writeSyntheticScan(path, { slices: 3, coils: 4, size, noise: 1e-3 });
  await writeSyntheticScan(undersampled, { slices: 1, coils: 4, size, mask: { data: mask.data, shape: mask.shape } });
});

describe('without adaptation', () => {
  test('a network that returns its input gives the coil combination, and consistency with the data improves it', async () => {
    const { network } = await reconstruct(undersampled, { model: model('zero') });
    await using scan = await openScan(undersampled);
    const kspace = await scan.readKspace(0);
    const { maps } = await espirit(kspace, { mask, threshold: 0.0004 }); // as reconstruct() calibrates
    const oneSet = { data: maps.data, shape: maps.shape.slice(1) };
    const combined = magnitude(await new EncodingOperator({ maps: oneSet, mask }).adjoint(kspace));
    const scale = combined.data.reduce((most, value) => Math.max(most, value));
    network?.data.forEach((value, i) => {
      expect(Math.abs(value - combined.data[i])).toBeLessThan(1e-5 * scale);
    });
    const full = await reconstruct(path, { model: model('zero'), undersample, reference: 'sense' });
    expect(full.metrics!.nmse).toBeLessThan(0.5 * full.networkMetrics!.nmse);
  });

  test('parallelism does not change the image', async () => {
    const options = { model: model('random'), undersample, threads: 1 };
    const one = await reconstruct(path, options);
    const three = await reconstruct(path, { ...options, parallelism: 3 });
    expect(three.image).toEqual(one.image);
    expect(three.network).toEqual(one.network);
  });
});

describe('with adaptation', () => {
  test('fully sampled slices are left alone, with a notice', async () => {
    const options = { model: model('random'), threads: 1, slices: { end: 1 } };
    const plain = await reconstruct(path, options);
    const { image, slices } = await reconstruct(path, { ...options, adapt: true });
    expect(image).toEqual(plain.image);
    expect(slices[0].adaptation).toMatchObject({ verdict: 'not-needed', stop: 'fully-sampled' });
    expect(slices[0].warnings).toContainEqual(expect.stringMatching(/every sample .* measured/));
  });

  const adapt = { maxIterations: 12, seed: 5 };

  test('every slice says what happened, the same each time and in any order', async () => {
    const options = { model: model('random'), adapt, undersample, threads: 1 };
    const first = await reconstruct(path, options);
    const again = await reconstruct(path, { ...options, parallelism: 2 });
    expect(again.image).toEqual(first.image);
    for (const { adaptation } of first.slices) {
      expect(adaptation).toMatchObject({ verdict: 'adapted', stop: 'iterations', iterations: 12 });
      expect(adaptation!.validation.best).toBeLessThan(adaptation!.validation.first);
    }
    expect(first.manifest.slices[0].adaptation).not.toHaveProperty('curve');
    expect(first.manifest.options.adapt).toMatchObject(adapt);
    const plain = await reconstruct(path, { model: model('random'), undersample, threads: 1 });
    expect(first.networkMetrics!.nmse).toBeLessThan(plain.networkMetrics!.nmse);
  });

  test('slices can start from those before them', async () => {
    const options = { model: model('random'), undersample, threads: 1 };
    const chained = { ...adapt, start: 'previous-slice' } as const;
    const result = await reconstruct(path, { ...options, adapt: chained, parallelism: 3 });
    const cold = await reconstruct(path, { ...options, adapt });
    const best = (run: typeof cold): number => run.slices[2].adaptation!.validation.best;
    expect(result.manifest.parallelism).toBe(1);
    expect(best(result)).toBeLessThan(best(cold));
  });

  test('the volume can be adapted to first', async () => {
    const joint = { ...adapt, volumeIterations: 10, volumeSlices: 3 };
    const { slices } = await reconstruct(path, { model: model('random'), adapt: joint, undersample, threads: 1 });
    expect(slices.map(({ adaptation }) => adaptation?.verdict)).toEqual(['adapted', 'adapted', 'adapted']);
  });

  test('an abort in the middle of training rejects with its reason', async () => {
    const controller = new AbortController();
    const running = reconstruct(path, {
      model: model('random'),
      adapt: { maxIterations: 100_000 },
      undersample,
      signal: controller.signal,
      onProgress: ({ stage }) => stage === 'adapting' && controller.abort(new Error('enough')),
    });
    await expect(running).rejects.toThrow('enough');
  });
});

describe('models', () => {
  test('run by the method of their kind alone: another would leave the data consistency out, or make it twice', async () => {
    const unrolled = createNetwork('unrolled', { cascades: 1, channels: 2, pools: 1, iterations: 2 });
    const weights = ParameterStore.initialise(unrolled.parameters, 1);
    const attempts: [string, Model, RegExp][] = [
      [
        'unrolled',
        model('random'),
        /method unrolled needs a network with the measurement .* kind unet.*: use method unet/,
      ],
      [
        'unet',
        { network: unrolled, weights, input: 'sense', notes: {} },
        /method unet needs a network from image.* kind unrolled.*: use method unrolled/,
      ],
    ];
    for (const [method, wrong, message] of attempts)
      await expect(reconstruct(undersampled, { method, model: wrong })).rejects.toMatchObject({
        code: 'ERR_MODEL',
        message: expect.stringMatching(message),
      });
  });

  test('are taken by path, and their digest does not depend on it', async () => {
    await saveModel(file('a.safetensors'), model('random'));
    const byPath = await reconstruct(undersampled, { model: file('a.safetensors') });
    const byValue = await reconstruct(undersampled, { model: model('random') });
    expect(byPath.image).toEqual(byValue.image);
    expect(byPath.manifest.model?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(byPath.manifest.model?.digest).toBe(byValue.manifest.model?.digest);
  });

  test('of another shape, corrupt or missing are refused', async () => {
    const attempt = (wrong: Model | string) => reconstruct(undersampled, { model: wrong });
    await expect(attempt(model('zero', { inChannels: 1, outChannels: 1 }))).rejects.toMatchObject({
      code: 'ERR_MODEL',
    });
    await expect(attempt(model('zero', { pools: 6 }))).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    await expect(attempt(file('none.safetensors'))).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
    await saveModel(file('cut.safetensors'), model('random'));
    truncateSync(file('cut.safetensors'), 1000);
    await expect(attempt(file('cut.safetensors'))).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
    writeFileSync(file('text.safetensors'), 'no model');
    await expect(attempt(file('text.safetensors'))).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
    await expect(reconstruct(undersampled, { method: 'unet' })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});
