// The end-to-end VarNet against fastMRI's in PyTorch: initial weights, maps, output, loss, gradients; and against double precision.
import { describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { differentiate } from '#larmor/graph/differentiate.js';
import { abs, divide, reduceSum, subtract } from '#larmor/graph/operations.js';
import { toPortable } from '#larmor/graph/portable.js';
import type { Value } from '#larmor/graph/types.js';
import { float32Tensor, readSafetensors, type TensorFile } from '#larmor/io/safetensors.js';
import { exportOnnx } from '#larmor/networks/export-onnx.js';
import { GraphInputs } from '#larmor/networks/graph-inputs.js';
import {
  type CoilPrediction,
  createNetwork,
  type Network,
  type Prediction,
  parameterCount,
} from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createPredictor } from '#larmor/networks/predictor.js';
import { importCheckpoint } from '#larmor/networks/torch-model.js';
import { gradientError, relativeError, uniform } from '../support/graph-checks.js';
import { evaluate } from '../support/interpreter.js';
import { runGraph } from '../support/run-graph.js';
import { describeShared, shared } from '../support/shared.js';

interface Unrolled {
  readonly graph: GraphBuilder;
  readonly parameters: readonly Value[];
  readonly inputs: GraphInputs;
  readonly prediction: Prediction;
}

/** The network on k-space [1,coils,height,width,2] with line masks. */
function unroll(network: Network, [coils, height, width]: readonly [number, number, number]): Unrolled {
  const graph = new GraphBuilder();
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const inputs = new GraphInputs(graph, network, { coils, height, width });
  const prediction = network.reconstruct(inputs, (name) => parameters.get(name) as Value);
  return { graph, inputs, prediction, parameters: [...parameters.values()] };
}

/** The same network, which gives coil images. */
function unrollCoils(...options: Parameters<typeof unroll>): Unrolled & CoilPrediction {
  const unrolled = unroll(...options);
  if (!unrolled.prediction.coils) throw new Error('the network gives no coil images');
  return { ...unrolled, ...unrolled.prediction.coils };
}

const feedsOf = (store: ParameterStore): Record<string, Float32Array> =>
  Object.fromEntries(store.specs.map(({ name }) => [name, store.get(name)]));

/** 1 from `start` up to `end`, 0 elsewhere. */
const columns = (width: number, start: number, end: number): Float32Array =>
  Float32Array.from({ length: width }, (_, x) => (x >= start && x < end ? 1 : 0));

const TINY = { cascades: 2, channels: 3, pools: 2, sensitivity: { channels: 2, pools: 2 } };

describeShared("fastMRI's VarNet in PyTorch", () => {
  const fixture = (): Promise<TensorFile> => readSafetensors(shared('fixtures/varnet_tiny.safetensors'));
  const network = createNetwork('varnet', TINY);
  const stored = (file: TensorFile): ParameterStore =>
    ParameterStore.from(
      network.parameters,
      new Map(network.parameters.map(({ name }) => [name, float32Tensor(file, `param.${name}`)])),
    );

  test('initial weights are those that PyTorch draws', async () => {
    const drawn = ParameterStore.initialise(network.parameters, 3);
    // PyTorch rounds the product and the sum of x * width + low once.
    expect(relativeError(drawn.data, stored(await fixture()).data)).toBeLessThan(1e-7);
  });

  test('a state_dict becomes the same network with the same weights, to the bit', async () => {
    const model = await importCheckpoint(shared('fixtures/varnet_tiny.state_dict.pt'));
    expect(model.network.kind).toBe('varnet');
    expect(model.network.config).toEqual(TINY);
    expect(model.weights.data).toEqual(stored(await fixture()).data);
  });

  test('maps, output, loss and every gradient', async () => {
    const file = await fixture();
    const { graph, maps, magnitude, parameters } = unrollCoils(network, [4, 40, 36]);
    const target = float32Tensor(file, 'target');
    const goal = graph.input('target', target.shape);
    const loss = divide(reduceSum(abs(subtract(magnitude, goal))), reduceSum(abs(goal)));
    graph.output('sens_maps', maps);
    graph.output('output', magnitude);
    graph.output('loss', loss);
    differentiate(loss, parameters).forEach((gradient, i) => {
      graph.output(`grad.${parameters[i].name}`, gradient);
    });
    const feeds = {
      ...feedsOf(stored(file)),
      kspace: float32Tensor(file, 'masked_kspace').data,
      mask: Float32Array.from(file.tensors.get('mask')?.data as Uint8Array),
      calibrationMask: columns(36, 15, 21), // num_low_frequencies: 6
      target: target.data,
    };
    for (const form of [graph, toPortable(graph)]) {
      const results = await runGraph(form, feeds);
      const error = (name: string): number => relativeError(results[name], float32Tensor(file, name).data);
      for (const name of ['sens_maps', 'output', 'loss']) expect(error(name), name).toBeLessThan(1e-5);
      for (const { name } of parameters) expect(error(`grad.${name}`), name).toBeLessThan(1e-3);
    }
  });
});

describe('beside double precision', () => {
  const odd = { cascades: 2, channels: 2, pools: 1, sensitivity: { channels: 2, pools: 1 } };
  test.each([
    ['maps by the network, odd sides', odd, [2, 17, 9]],
    ['one virtual coil', { ...odd, sensitivity: null }, [1, 9, 17]],
  ] as const)('%s: outputs and gradients of weights and data', async (_, config, sizes) => {
    const network = createNetwork('varnet', config);
    const { graph, parameters, inputs, prediction } = unroll(network, sizes);
    const { image, coils } = prediction;
    const [count, height, width] = sizes;
    const random = new MT19937(5);
    const feeds = {
      ...feedsOf(ParameterStore.initialise(network.parameters, 1)),
      image: uniform(random, 2 * height * width),
      kspace: uniform(random, 2 * count * height * width),
      mask: Float32Array.from({ length: width }, (_, x) => (x % 3 === 0 || Math.abs(x - width / 2) < 2 ? 1 : 0)),
      calibrationMask: columns(width, width / 2 - 1, width / 2 + 1),
    };
    const outputs: Record<string, Value> = { image, ...coils };
    for (const [name, value] of Object.entries(outputs)) graph.output(`output.${name}`, value);
    const results = await runGraph(graph, feeds);
    const truth = evaluate(graph, feeds, Object.values(outputs));
    Object.keys(outputs).forEach((name, i) => {
      expect(relativeError(results[`output.${name}`], truth[i].data), name).toBeLessThan(1e-5);
    });
    const loss = reduceSum(abs(subtract(coils ? coils.magnitude : image, 0.1)));
    const data = coils ? inputs.measured() : inputs.image();
    expect(gradientError(graph, feeds, loss, [...parameters, data])).toBeLessThan(1e-5);
  });
});

test.each([
  ["fastMRI's", {}, 29_936_966],
  ['that of the published test-time training', { sensitivity: null }, 29_452_068],
])('as many parameters as the published network: %s', (_, config, count) => {
  expect(parameterCount(createNetwork('varnet', config))).toBe(count);
});

test('output and gradients stay finite without a signal', async () => {
  const network = createNetwork('varnet', TINY);
  const { graph, maps, magnitude, parameters } = unrollCoils(network, [2, 16, 16]);
  graph.output('maps', maps);
  graph.output('magnitude', magnitude);
  differentiate(reduceSum(magnitude), parameters).forEach((gradient, i) => {
    graph.output(`grad.${parameters[i].name}`, gradient);
  });
  const mask = new Float32Array(16).fill(1);
  const feeds = { kspace: new Float32Array(2 * 2 * 256), mask, calibrationMask: mask };
  const results = await runGraph(graph, { ...feedsOf(ParameterStore.initialise(network.parameters, 1)), ...feeds });
  for (const values of Object.values(results)) expect(values.every(Number.isFinite)).toBe(true);
});

test.each([
  ['an unknown field', { layers: 3 }, /varnet: config: .*layers/],
  ['no cascades', { cascades: 0 }, /varnet: cascades/],
  ['no channels in the network of the maps', { sensitivity: { channels: 0 } }, /varnet: sensitivity\.channels/],
])('rejects %s', (_, config, message) => {
  expect(() => createNetwork('varnet', config)).toThrow(
    expect.objectContaining({ code: 'ERR_MODEL', message: expect.stringMatching(message) }),
  );
});

type Shapes = Readonly<Record<'image' | 'kspace' | 'mask' | 'calibrationMask', readonly number[]>>;
const fitting: Shapes = {
  image: [1, 2, 16, 12],
  kspace: [1, 2, 16, 12, 2],
  mask: [1, 1, 12],
  calibrationMask: [1, 1, 12],
};
const virtual = { ...TINY, sensitivity: null };
test.each<[string, object, Partial<Shapes>, RegExp]>([
  [
    'k-space of another layout',
    TINY,
    { kspace: [1, 2, 16, 12] },
    /kspace must have shape \[n,coil,y,x,2\], got \[1,2,16,12\]/,
  ],
  [
    'a mask of another length',
    TINY,
    { mask: [1, 1, 16] },
    /mask must have shape \[1,1,12\] or \[1,16,12\], got \[1,1,16\]/,
  ],
  ['a calibration mask of another batch', TINY, { calibrationMask: [2, 1, 12] }, /calibrationMask must have shape/],
  [
    'an image of one channel for a virtual coil',
    virtual,
    { image: [1, 1, 16, 12] },
    /image must have shape \[n,2,y,x\]/,
  ],
  ['a mask of another length for a virtual coil', virtual, { mask: [1, 1, 16] }, /mask must have shape \[1,1,12\]/],
])('refuses %s', (_, config, changed, message) => {
  const graph = new GraphBuilder();
  const shapes = { ...fitting, ...changed };
  const [image, kspace, mask, calibrationMask] = (['image', 'kspace', 'mask', 'calibrationMask'] as const).map(
    (name) => () => graph.input(name, shapes[name]),
  );
  const inputs = { image, kspace, mask, calibrationMask, maps: image };
  expect(() => createNetwork('varnet', config).reconstruct(inputs, () => graph.scalar(0))).toThrow(
    expect.objectContaining({ code: 'ERR_SHAPE', message: expect.stringMatching(message) }),
  );
});

test('needs to know the coils, and is no network on images', async () => {
  const network = createNetwork('varnet', TINY);
  const weights = ParameterStore.initialise(network.parameters, 1);
  await expect(createPredictor({ network, weights, height: 16, width: 16 })).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: expect.stringMatching(/number of coils/),
  });
  const refusal = { code: 'ERR_MODEL', message: expect.stringMatching(/one of kind varnet needs the measurement too/) };
  expect(() => exportOnnx({ network, weights, input: 'sense', notes: {} })).toThrow(expect.objectContaining(refusal));
});
