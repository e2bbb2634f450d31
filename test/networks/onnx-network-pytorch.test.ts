// Networks that PyTorch exported to ONNX: outputs and gradients beside PyTorch's, training and saving.
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { differentiate } from '#larmor/graph/differentiate.js';
import { multiply, reduceMean, subtract } from '#larmor/graph/operations.js';
import type { Value } from '#larmor/graph/types.js';
import { float32Tensor, readSafetensors, type TensorFile } from '#larmor/io/safetensors.js';
import { imageNetwork } from '#larmor/networks/image-network.js';
import { loadModel, type Model, saveModel } from '#larmor/networks/model.js';
import { createNetwork } from '#larmor/networks/network.js';
import { importOnnx } from '#larmor/networks/onnx-model.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createPredictor } from '#larmor/networks/predictor.js';
import { LOSSES } from '#larmor/training/losses.js';
import { createTrainingSession } from '#larmor/training/open-session.js';
import { relativeError, uniform } from '../support/graph-checks.js';
import { runGraph } from '../support/run-graph.js';
import { describeShared, shared } from '../support/shared.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larmor-onnx-'));
  path = join(folder, 'network.onnx');
});
afterEach(() => rm(folder, { recursive: true }));

/** Output, mean squared error and every gradient of a model on the input and target of a fixture. */
async function evaluate(model: Model, fixture: TensorFile): Promise<Readonly<Record<string, Float32Array>>> {
  const { weights } = model;
  const network = imageNetwork('test', model.network);
  const [input, target] = ['input', 'target'].map((name) => float32Tensor(fixture, name));
  const graph = new GraphBuilder();
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const output = network.build(graph.input('input', input.shape), (name) => parameters.get(name) as Value);
  const difference = subtract(output, graph.input('target', target.shape));
  const total = reduceMean(multiply(difference, difference));
  graph.output('output', output);
  graph.output('loss', total);
  differentiate(total, [...parameters.values()]).forEach((gradient, i) => {
    graph.output(`grad.${network.parameters[i].name}`, gradient);
  });
  const feeds = Object.fromEntries(network.parameters.map(({ name }) => [name, weights.get(name)]));
  return runGraph(graph, { ...feeds, input: input.data, target: target.data });
}

describeShared('networks that PyTorch exported', () => {
  test('mixed_ops: output, loss and gradients by parameter name', async () => {
    const model = await importOnnx(shared('fixtures/mixed_ops.onnx'));
    const fixture = await readSafetensors(shared('fixtures/mixed_ops.safetensors'));
    const results = await evaluate(model, fixture);
    const compared = Object.keys(results).filter((key) => fixture.tensors.has(key));
    expect(compared.length).toBe(11); // but the two that the exporter has folded
    for (const key of compared)
      expect(relativeError(results[key], float32Tensor(fixture, key).data), key).toBeLessThan(1e-4);
  });

  // The exporter has folded bn into c1: w' = w s and b' = (b - mean) s + beta, with s = gamma / sqrt(variance + epsilon).
  test('mixed_ops: gradients through the batch normalisation that the exporter folded', async () => {
    const model = await importOnnx(shared('fixtures/mixed_ops.onnx'));
    const fixture = await readSafetensors(shared('fixtures/mixed_ops.safetensors'));
    const results = await evaluate(model, fixture);
    const truth = (name: string): Float32Array => float32Tensor(fixture, name).data;
    const [weights, gamma] = [truth('param.c1.weight'), truth('param.bn.weight')];
    const [dw, db] = [results['grad.onnx::Conv_49'], results['grad.onnx::Conv_50']];
    const taps = weights.length / gamma.length;
    const s = gamma.map((_, c) => model.weights.get('onnx::Conv_49')[c * taps] / weights[c * taps]);
    const relative = (got: Float32Array, name: string): number => relativeError(got, truth(`grad.${name}`));
    expect(
      relative(
        dw.map((g, i) => g * s[Math.floor(i / taps)]),
        'c1.weight',
      ),
    ).toBeLessThan(1e-4);
    expect(
      relative(
        db.map((g, c) => g * s[c]),
        'c1.bias',
      ),
    ).toBeLessThan(1e-4);
    expect(relative(db, 'bn.bias')).toBeLessThan(1e-4);
    // gamma dL/dgamma = sum of w' dL/dw' + (b' - beta) dL/db'
    const [folded, shift, beta] = [
      model.weights.get('onnx::Conv_49'),
      model.weights.get('onnx::Conv_50'),
      truth('param.bn.bias'),
    ];
    const dgamma = gamma.map((g, c) => {
      const sum = dw.subarray(c * taps, (c + 1) * taps).reduce((total, d, i) => total + d * folded[c * taps + i], 0);
      return (sum + (shift[c] - beta[c]) * db[c]) / g;
    });
    expect(relative(dgamma, 'bn.weight')).toBeLessThan(1e-4);
  });

  // Weights of the file, output and loss are those before three Adam steps; gradients those of the third.
  test('unet_c4_p2: output, three Adam steps, gradients by parameter name', async () => {
    const model = await importOnnx(shared('fixtures/unet_c4_p2.onnx'));
    const fixture = await readSafetensors(shared('fixtures/unet_c4_p2.safetensors'));
    const shapes = { batch: 2, height: 24, width: 20 };
    await using session = await createTrainingSession({ ...model, loss: LOSSES.supervised, shapes, threads: 1 });
    const [input, target] = ['input', 'target'].map((name) => float32Tensor(fixture, name).data);
    session.set({ image: input, target });
    const error = (values: Float32Array, name: string): number =>
      relativeError(values, float32Tensor(fixture, name).data);
    expect(error(await session.predict(), 'output')).toBeLessThan(1e-5);
    for (let i = 0; i < 3; i++) await session.step({ learningRate: 1e-3 });
    const [trained, gradients] = [await session.weights(), await session.gradients()];
    for (const { name } of model.network.parameters) {
      expect(error(gradients.get(name), `grad.${name}`), name).toBeLessThan(1e-3);
      expect(error(trained.get(name), `param.${name}`), name).toBeLessThan(1e-4);
    }
  });

  test("the exported U-Net is larmor's own, at other sizes too", async () => {
    const { network, weights } = await importOnnx(shared('fixtures/unet_c4_p2.onnx'));
    const own = createNetwork('unet', { channels: 4, pools: 2 });
    const tensors = new Map(own.parameters.map(({ name, shape }) => [name, { shape, data: weights.get(name) }]));
    const ownWeights = ParameterStore.from(own.parameters, tensors);
    const x = uniform(new MT19937(1), 2 * 32 * 40);
    const options = { height: 32, width: 40, threads: 1 };
    using imported = await createPredictor({ ...options, network, weights });
    using built = await createPredictor({ ...options, network: own, weights: ownWeights });
    expect(await imported.predict({ image: x })).toEqual(await built.predict({ image: x }));
  });

  test('trains on k-space, is saved and comes back, and loads by its path', async () => {
    await copyFile(shared('fixtures/mixed_ops.onnx'), path);
    const model = await loadModel(path);
    const shapes = { batch: 1, coils: 2, height: 16, width: 12 };
    const random = new MT19937(4);
    const data = {
      image: uniform(random, 2 * 16 * 12),
      maps: uniform(random, 2 * 2 * 16 * 12),
      kspace: uniform(random, 2 * 2 * 16 * 12),
      lossMask: Float32Array.from({ length: 12 }, (_, i) => Number(i % 3 !== 1)),
      heldOutMask: Float32Array.from({ length: 12 }, (_, i) => Number(i % 3 === 1)),
    };
    await using session = await createTrainingSession({ ...model, loss: LOSSES.self, shapes, trainable: 'decoder' });
    session.set(data);
    const first = await session.step();
    for (let i = 0; i < 20; i++) await session.step();
    expect((await session.evaluate()).loss).toBeLessThan(first.loss);
    expect((await session.weights()).get('c4.weight')).not.toEqual(model.weights.get('c4.weight'));
    expect((await session.weights()).get('onnx::Conv_49')).toEqual(model.weights.get('onnx::Conv_49'));

    const saved = join(folder, 'model.safetensors');
    await saveModel(saved, { ...model, weights: await session.weights() });
    const back = await loadModel(saved);
    expect(back.weights.data).toEqual((await session.weights()).data);
    expect(back.network.parameters).toEqual(model.network.parameters);
    using predictor = await createPredictor({ ...back, height: 16, width: 12 });
    expect(relativeError(await predictor.predict(data), await session.predict())).toBeLessThan(1e-6);
  });
});
