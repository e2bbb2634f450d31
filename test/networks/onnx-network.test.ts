// Networks out of ONNX files: outputs and gradients beside PyTorch's, training, saving, and files that are refused.
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { differentiate } from '#larmor/graph/differentiate.js';
import { encodeOnnx } from '#larmor/graph/onnx.js';
import type { OnnxModel } from '#larmor/graph/onnx-model.js';
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
import { floats, modelOf, node, type OnnxCase, waves } from '../support/onnx-cases.js';
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

const small: OnnxCase = {
  what: 'small',
  shape: [1, 2, 8, 8],
  nodes: [
    node('Conv', ['x', 'w', 'b'], ['c'], { pads: [1, 1, 1, 1] }),
    node('PRelu', ['c', 's'], ['r']),
    node('Mul', ['r', 'half'], ['y']),
  ],
  constants: [waves('w', [2, 2, 3, 3]), waves('b', [2]), waves('s', [2, 1, 1]), floats('half', [0.5], [])],
};
const good = modelOf(small, [1, 2, 8, 8]);

async function load(model: OnnxModel): Promise<Model> {
  await writeFile(path, encodeOnnx(model));
  return importOnnx(path);
}

test('what is a parameter, how it would start, and which part it counts to', async () => {
  const { network, notes } = await load(good);
  expect(network.parameters).toEqual([
    { name: 'w', shape: [2, 2, 3, 3], initial: { bound: 1 / Math.sqrt(18) }, part: 'encoder', role: 'last' },
    { name: 'b', shape: [2], initial: { value: 0 }, part: 'encoder', role: 'last' },
    { name: 's', shape: [2, 1, 1], initial: { value: 0.25 }, part: 'decoder' },
  ]);
  expect(notes).toEqual({ imported: 'network.onnx', producer: 'test' });
});

test('dynamic axes, and initialisers listed as inputs, as old exporters do', async () => {
  const open = {
    ...modelOf({ ...small, shape: [] }, ['n', 2, 'h', 'w']),
    inputs: [
      { name: 'x', type: 'float32', shape: ['n', 2, 'h', 'w'] } as const,
      ...good.initializers.map(({ name, type, shape }) => ({ name, type, shape })),
    ],
  };
  const { network, weights } = await load(open);
  expect(network.parameters.map(({ name }) => name)).toEqual(['w', 'b', 's']);
  using predictor = await createPredictor({ network, weights, height: 5, width: 7 });
  expect((await predictor.predict({ image: new Float32Array(70).fill(1) })).every(Number.isFinite)).toBe(true);
});

test('a graph that only fits the size it was exported for says so', async () => {
  const flat: OnnxCase = {
    ...small,
    nodes: [node('Reshape', ['x', 'shape'], ['r']), node('Reshape', ['r', 'back'], ['y'])],
  };
  const ints = (name: string, list: number[]) =>
    ({
      name,
      type: 'int64',
      shape: [list.length],
      bytes: new Uint8Array(BigInt64Array.from(list, BigInt).buffer),
    }) as const;
  const { network, weights } = await load(
    modelOf({ ...flat, constants: [ints('shape', [1, 128]), ints('back', [1, 2, 8, 8])] }, [1, 2, 8, 8]),
  );
  await expect(createPredictor({ network, weights, height: 16, width: 8 })).rejects.toMatchObject({
    code: 'ERR_SHAPE',
    message: expect.stringMatching(/Reshape "\/r\/Reshape".*exported for images \[1,2,8,8\].*dynamic axes/),
  });
});

const refused: [string, string, RegExp, OnnxModel][] = [
  [
    'two inputs',
    'ERR_MODEL',
    /one input, the image; this has 2: x, z/,
    { ...good, inputs: [...good.inputs, { name: 'z', type: 'float32', shape: [1] }] },
  ],
  [
    'two outputs',
    'ERR_MODEL',
    /one output, this has 2/,
    { ...good, outputs: [...good.outputs, { name: 'r', type: 'float32', shape: [1, 2, 8, 8] }] },
  ],
  [
    'an input that is no image',
    'ERR_MODEL',
    /"x" must be an image of float32/,
    { ...good, inputs: [{ name: 'x', type: 'int64', shape: [1, 2, 8, 8] }] },
  ],
  [
    'open channels',
    'ERR_MODEL',
    /fixed number of channels; it is float32 \[n,c,h,w\]/,
    { ...good, inputs: [{ name: 'x', type: 'float32', shape: ['n', 'c', 'h', 'w'] }] },
  ],
  [
    'another size out than in',
    'ERR_MODEL',
    /makes \[1,2,6,6\] of an image \[1,2,8,8\]/,
    { ...good, nodes: [{ ...good.nodes[0], attributes: {} }, ...good.nodes.slice(1)] },
  ],
  ['an unknown operator', 'ERR_GRAPH', /operator LSTM/, { ...good, nodes: [node('LSTM', ['x'], ['y'])] }],
  [
    'NaN in a weight',
    'ERR_MODEL',
    /parameter "b" holds NaN/,
    { ...good, initializers: good.initializers.map((t) => (t.name === 'b' ? floats('b', [Number.NaN, 0]) : t)) },
  ],
];
test.each(refused)('refuses %s', async (_, code, message, model) => {
  await expect(load(model)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('refuses what is no ONNX file, and a configuration without a graph', async () => {
  await expect(importOnnx(path)).rejects.toMatchObject({ code: 'ERR_FILE_NOT_FOUND' });
  await writeFile(path, 'weights');
  await expect(importOnnx(path)).rejects.toMatchObject({ code: 'ERR_MODEL' });
  expect(() => createNetwork('onnx', {})).toThrow(expect.objectContaining({ code: 'ERR_MODEL' }));
});
