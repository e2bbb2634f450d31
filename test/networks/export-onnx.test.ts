// Models as ONNX files: run by ONNX Runtime as they stand, beside larmor's own predictor; standard operators only.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { decodeOnnx } from '#larmor/graph/onnx.js';
import { exportOnnx } from '#larmor/networks/export-onnx.js';
import { type ImageNetwork, imageNetwork, imageNetworkOf } from '#larmor/networks/image-network.js';
import { loadModel, type Model } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { importOnnx } from '#larmor/networks/onnx-model.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createPredictor } from '#larmor/networks/predictor.js';
import { createSession } from '#larmor/runtime/session.js';
import { tensor } from '#larmor/runtime/tensor.js';
import { relativeError, uniform } from '../support/graph-checks.js';
import { describeShared, shared } from '../support/shared.js';

// The exported normalisation adds up in another order than larmor's fused one.
const TOLERANCE = 1e-5;

function model(network: ImageNetwork): Model {
  return { network, weights: ParameterStore.initialise(network.parameters, 1), input: 'sense', notes: {} };
}

/** What a file and larmor make of one image. */
async function compare(bytes: Uint8Array, model: Model, batch: number, height: number, width: number): Promise<number> {
  const { weights } = model;
  const network = imageNetwork('test', model.network);
  const x = uniform(new MT19937(2), batch * network.inChannels * height * width);
  using predictor = await createPredictor({ network, weights, batch, height, width, threads: 1 });
  const want = await predictor.predict({ image: x });
  using session = await createSession(bytes, { threads: 1 });
  const { inputs, outputs } = decodeOnnx(bytes);
  const output = tensor('float32', [batch, network.outChannels, height, width]);
  const input = tensor('float32', [batch, network.inChannels, height, width], x);
  await session.bind({ [inputs[0].name]: input }, { [outputs[0].name]: output }).run();
  return relativeError(output.data, want);
}

test.each([
  ['plain', { channels: 4, pools: 2 }],
  ['affine, residual', { channels: 4, pools: 3, affine: true, residual: true }],
  ['one channel to three', { channels: 4, pools: 1, inChannels: 1, outChannels: 3 }],
])('U-Net, %s: any batch and size, standard operators, weights by name', async (_, config) => {
  const network = createNetwork('unet', config);
  const unet = model(network);
  const bytes = exportOnnx(unet);
  const { opsets, inputs, initializers } = decodeOnnx(bytes);
  expect(opsets).toEqual({ '': 17 });
  expect(inputs).toEqual([{ name: 'input', type: 'float32', shape: ['batch', network.inChannels, 'height', 'width'] }]);
  expect(initializers.map(({ name }) => name)).toEqual(unet.weights.specs.map(({ name }) => name));
  expect(await compare(bytes, unet, 1, 32, 24)).toBeLessThan(TOLERANCE);
  expect(await compare(bytes, unet, 3, 16, 40)).toBeLessThan(TOLERANCE);
});

test('U-Net of a given odd size', async () => {
  const unet = model(createNetwork('unet', { channels: 4, pools: 2 }));
  const bytes = exportOnnx(unet, { size: [21, 18] });
  expect(decodeOnnx(bytes).inputs[0].shape).toEqual(['batch', 2, 21, 18]);
  expect(await compare(bytes, unet, 2, 21, 18)).toBeLessThan(TOLERANCE);
  expect(() => exportOnnx(unet, { size: [3, 18] })).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }));
});

describeShared('round trips', () => {
  test.each(['unet_c4_p2.lightning.ckpt', 'unet_c4_p2.onnx', 'mixed_ops.onnx'])('%s out and in again', async (file) => {
    const original = await loadModel(shared(`fixtures/${file}`));
    const changed = original.weights.clone();
    changed.data.forEach((w, i) => {
      changed.data[i] = 0.9 * w;
    });
    const bytes = exportOnnx({ ...original, weights: changed });
    const folder = await mkdtemp(join(tmpdir(), 'larmor-export-'));
    try {
      const path = join(folder, 'model.onnx');
      await writeFile(path, bytes);
      const back = await importOnnx(path);
      expect(back.weights.specs.map(({ name }) => name)).toEqual(changed.specs.map(({ name }) => name));
      expect(back.weights.data).toEqual(changed.data);
      const [batch, height, width] = file.startsWith('mixed') ? [2, 16, 12] : [2, 24, 20];
      expect(await compare(bytes, back, batch, height, width)).toBeLessThan(TOLERANCE);
      expect(await compare(bytes, { ...original, weights: changed }, batch, height, width)).toBeLessThan(TOLERANCE);
      if (file.endsWith('.onnx')) expect(() => exportOnnx(original, { size: [16, 12] })).toThrow(/keeps its sizes/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** A network of one operation on the image. */
const custom = (build: ImageNetwork['build']): Model => {
  const channels = { inChannels: 2, outChannels: 2 };
  const network = imageNetworkOf({ kind: 'custom', config: {}, parameters: [], ...channels, build });
  return { network, weights: new ParameterStore([]), input: 'sense', notes: {} };
};

test('a graph that depends on the size needs one', () => {
  const sized = custom(
    (x) => x.graph.apply('Add', [x, x.graph.constant(new Float32Array(x.shape[3]), [x.shape[3]])])[0],
  );
  expect(() => exportOnnx(sized)).toThrow(
    expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringMatching(/depends on the size/) }),
  );
  expect(decodeOnnx(exportOnnx(sized, { size: [8, 6] })).inputs[0].shape).toEqual(['batch', 2, 8, 6]);
});
