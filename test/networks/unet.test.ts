// The U-Net against fastMRI's in PyTorch: output, gradients, three Adam steps; and against double precision.
import { expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { abs, divide, reduceSum, subtract } from '#larmor/graph/operations.js';
import { dataLoss } from '#larmor/graph/physics-operations.js';
import { toPortable } from '#larmor/graph/portable.js';
import type { Value } from '#larmor/graph/types.js';
import { float32Tensor, readSafetensors } from '#larmor/io/safetensors.js';
import { createNetwork, type Network, parameterCount } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { gradientError, relativeError, uniform } from '../support/graph-checks.js';
import { runGraph } from '../support/run-graph.js';
import { describeShared, shared } from '../support/shared.js';
import { size } from '../support/tensor.js';

/** `parameter` for `Network.build`: a graph input per parameter. */
function parameterInputs(graph: GraphBuilder, network: Network): Map<string, Value> {
  return new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
}

const feedsOf = (network: Network, store: ParameterStore): Record<string, Float32Array> =>
  Object.fromEntries(network.parameters.map(({ name }) => [name, store.get(name)]));

// `param.*` of these files hold the weights after the three Adam steps, as `adam_param.*` do. Output and loss belong to the weights
// before them, which PyTorch drew from the seeds given here.
const FIXTURES = [
  { file: 'unet_c4_p2', seed: 0, config: { channels: 4, pools: 2 } },
  { file: 'unet_c8_p3_odd', seed: 1, config: { channels: 8, pools: 3, inChannels: 1, outChannels: 1 } },
];

describeShared("fastMRI's U-Net in PyTorch", () => {
  test.each(FIXTURES)('$file: output and loss', async ({ file, seed, config }) => {
    const fixture = await readSafetensors(shared(`fixtures/${file}.safetensors`));
    const network = createNetwork('unet', config);
    const input = float32Tensor(fixture, 'input');
    const target = float32Tensor(fixture, 'target');
    const graph = new GraphBuilder();
    const parameters = parameterInputs(graph, network);
    const output = network.build(graph.input('input', input.shape), (name) => parameters.get(name) as Value);
    const goal = graph.input('target', target.shape);
    const loss = divide(reduceSum(abs(subtract(output, goal))), reduceSum(abs(goal)));
    graph.output('output', output);
    graph.output('loss', loss);
    const feeds = {
      ...feedsOf(network, ParameterStore.initialise(network.parameters, seed)),
      input: input.data,
      target: target.data,
    };
    for (const form of [graph, toPortable(graph)]) {
      const results = await runGraph(form, feeds);
      const error = (name: string): number => relativeError(results[name], float32Tensor(fixture, name).data);
      expect(error('output')).toBeLessThan(1e-5);
      expect(error('loss')).toBeLessThan(1e-5);
    }
  });
});

test.each([
  { what: 'plain, even', config: { channels: 2, pools: 2 }, image: [8, 8] },
  { what: 'residual, affine, odd', config: { channels: 2, pools: 2, residual: true, affine: true }, image: [9, 11] },
])('gradient of U-Net and physics loss: $what', ({ config, image: [height, width] }) => {
  const network = createNetwork('unet', config);
  const random = new MT19937(5);
  const graph = new GraphBuilder();
  const parameters = parameterInputs(graph, network);
  const output = network.build(graph.input('input', [1, 2, height, width]), (name) => parameters.get(name) as Value);
  const maps = graph.input('maps', [1, 2, height, width, 2]);
  const kspace = graph.input('kspace', maps.shape);
  const mask = graph.input('mask', [1, 1, width]);
  const { loss } = dataLoss(output, { maps, mask, heldOutMask: graph.input('heldOutMask', mask.shape), kspace });
  const columns = Float32Array.from({ length: width }, (_, i) => (i % 2 === 0 ? 1 : 0));
  const feeds = {
    ...feedsOf(network, ParameterStore.initialise(network.parameters, 1)),
    input: uniform(random, 2 * height * width),
    maps: uniform(random, size(maps.shape)),
    kspace: uniform(random, size(maps.shape)),
    mask: columns,
    heldOutMask: columns.map((sampled) => 1 - sampled),
  };
  expect(gradientError(graph, feeds, loss, [...parameters.values()])).toBeLessThan(1e-5);
});

test('as many parameters as the published network', () => {
  expect(parameterCount(createNetwork('unet', { channels: 64, pools: 4 }))).toBe(31_024_386);
});

test('initial weights: seeded, within the bounds of PyTorch, norms neutral', () => {
  const { parameters } = createNetwork('unet', { channels: 8, pools: 2, affine: true });
  const store = ParameterStore.initialise(parameters, 5);
  expect(ParameterStore.initialise(parameters, 5).data).toEqual(store.data);
  expect(ParameterStore.initialise(parameters, 6).data).not.toEqual(store.data);
  const w = store.get('conv.layers.0.weight');
  const bound = 1 / Math.sqrt(16 * 9);
  expect(Math.max(...w)).toBeLessThanOrEqual(bound);
  expect(Math.sqrt(w.reduce((sum, x) => sum + x * x, 0) / w.length) / bound).toBeCloseTo(1 / Math.sqrt(3), 1);
  expect([...new Set(store.get('conv.layers.1.weight'))]).toEqual([1]);
  expect([...new Set(store.get('conv.layers.5.bias'))]).toEqual([0]);
  for (const { name } of parameters) expect(store.get(name).byteOffset % 64, name).toBe(0);
});

test.each([
  ['unknown kind', 'resnet', {}, /kind must be one of unet, .*onnx.*, got "resnet"/],
  ['unknown field', 'unet', { depth: 3 }, /unet: config: .*depth/],
  ['no channels', 'unet', { channels: 0 }, /unet: channels/],
  [
    'residual of other channels',
    'unet',
    { inChannels: 1, residual: true },
    /residual needs as many output as input channels/,
  ],
])('rejects %s', (_, kind, config, message) => {
  expect(() => createNetwork(kind, config)).toThrow(
    expect.objectContaining({ code: 'ERR_MODEL', message: expect.stringMatching(message) }),
  );
});

test('rejects images that are too small', () => {
  const graph = new GraphBuilder();
  const network = createNetwork('unet', { pools: 3 });
  expect(() => network.build(graph.input('x', [1, 2, 16, 7]), () => graph.scalar(0))).toThrow(
    expect.objectContaining({ code: 'ERR_SHAPE', message: expect.stringMatching(/at least 8 pixels a side/) }),
  );
});
