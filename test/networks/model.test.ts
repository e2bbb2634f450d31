// Models on disk: round trip, and files that are not what they should be.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type StoredTensor, writeSafetensors } from '#larmor/io/safetensors.js';
import { loadModel, saveModel, storedTensors } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larmor-model-'));
  path = join(folder, 'model.safetensors');
});
afterEach(() => rm(folder, { recursive: true }));

const network = createNetwork('unet', { channels: 2, pools: 1, affine: true });
const weights = ParameterStore.initialise(network.parameters, 1);
const metadata = { 'larmor.network': 'unet', 'larmor.config': JSON.stringify(network.config) };

test('a model comes back with its network, weights and notes', async () => {
  await saveModel(path, { network, weights, input: 'sense', notes: { data: 'procedural' } });
  const model = await loadModel(path);
  expect(model.network.kind).toBe('unet');
  expect(model.network.config).toEqual(network.config);
  expect(model.weights.data).toEqual(weights.data);
  expect(model.notes).toEqual({ data: 'procedural' });
});

type Tensors = Map<string, StoredTensor>;
const broken: [string, RegExp, (tensors: Tensors) => void][] = [
  [
    'a tensor missing',
    /parameter "conv.layers.0.weight" is missing/,
    (tensors) => tensors.delete('conv.layers.0.weight'),
  ],
  [
    'a tensor too many',
    /no parameter "extra"/,
    (tensors) => tensors.set('extra', { dtype: 'F32', shape: [1], data: new Float32Array(1) }),
  ],
  [
    'another shape',
    /"conv.layers.1.bias" must have shape \[4\], got \[5\]/,
    (tensors) => tensors.set('conv.layers.1.bias', { dtype: 'F32', shape: [5], data: new Float32Array(5) }),
  ],
  [
    'NaN',
    /"conv.layers.1.bias" holds NaN/,
    (tensors) =>
      tensors.set('conv.layers.1.bias', { dtype: 'F32', shape: [4], data: new Float32Array(4).fill(Number.NaN) }),
  ],
];

test.each(broken)('rejects weights with %s', async (_, message, breakIt) => {
  const tensors = storedTensors(weights);
  breakIt(tensors);
  await writeSafetensors(path, tensors, metadata);
  await expect(loadModel(path)).rejects.toMatchObject({
    code: 'ERR_MODEL',
    message: expect.stringMatching(new RegExp(`^${path}: .*${message.source}`)),
  });
});

test.each([
  ['no network', {}, /does not say of which network/],
  ['a broken configuration', { ...metadata, 'larmor.config': '{' }, /is not JSON/],
  ['an unknown network', { ...metadata, 'larmor.network': 'resnet' }, /kind must be one of/],
])('rejects metadata with %s', async (_, notes, message) => {
  await writeSafetensors(path, storedTensors(weights), notes);
  await expect(loadModel(path)).rejects.toMatchObject({ code: 'ERR_MODEL', message: expect.stringMatching(message) });
});

test('rejects what is no file and what is no safetensors file', async () => {
  await expect(loadModel(path)).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
  await writeFile(path, 'weights');
  await expect(loadModel(path)).rejects.toMatchObject({ code: 'ERR_FILE_FORMAT' });
});
