// larmor's unrolled network: a closed form, double precision, finite differences, and what it refuses.
import { expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { multiply, reduceSum } from '#larmor/graph/operations.js';
import type { Value } from '#larmor/graph/types.js';
import { GraphInputs } from '#larmor/networks/graph-inputs.js';
import { createNetwork, type Network, parameterCount } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { gradientError, relativeError, uniform } from '../support/graph-checks.js';
import { evaluate } from '../support/interpreter.js';
import { runGraph } from '../support/run-graph.js';

const [coils, height, width] = [3, 8, 12];
const points = height * width;

function build(network: Network): {
  readonly graph: GraphBuilder;
  readonly image: Value;
  readonly parameters: readonly Value[];
  readonly inputs: GraphInputs;
} {
  const graph = new GraphBuilder();
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const inputs = new GraphInputs(graph, network, { coils, height, width });
  const { image } = network.reconstruct(inputs, (name) => parameters.get(name) as Value);
  return { graph, image, inputs, parameters: [...parameters.values()] };
}

const feedsOf = (store: ParameterStore): Record<string, Float32Array> =>
  Object.fromEntries(store.specs.map(({ name }) => [name, store.get(name)]));

/** Random maps whose squared magnitudes sum to 1 in every pixel. */
function normalisedMaps(random: MT19937): Float32Array {
  const maps = uniform(random, 2 * coils * points);
  for (let i = 0; i < points; i += 1) {
    const entries = Array.from({ length: 2 * coils }, (_, k) => 2 * ((k >> 1) * points + i) + (k & 1));
    const norm = Math.sqrt(entries.reduce((sum, at) => sum + maps[at] ** 2, 0));
    for (const at of entries) maps[at] /= norm;
  }
  return maps;
}

test('as it starts, its U-Nets change nothing: with full sampling the image shrinks by the weights alone', async () => {
  const network = createNetwork('unrolled', { cascades: 2, channels: 2, pools: 1, iterations: 3 });
  const store = ParameterStore.initialise(network.parameters, 1);
  const { graph, image } = build(network);
  graph.output('output', image);
  const random = new MT19937(2);
  const data = uniform(random, 2 * points);
  const mask = new Float32Array(width).fill(1);
  const results = await runGraph(graph, { ...feedsOf(store), image: data, maps: normalisedMaps(random), mask });
  // A^H A = 1, so every step solves (1 + mu) x = b + mu z, with mu = 1/16 and a floor of 1e-5.
  const mu = 1 / 16 + 1e-5;
  let factor = 1 / (1 + mu);
  for (let cascade = 0; cascade < 2; cascade += 1) factor = (1 + mu * factor) / (1 + mu);
  expect(
    relativeError(
      results.output,
      data.map((value) => factor * value),
    ),
  ).toBeLessThan(1e-6);
});

test.each([
  ['unrolled', 2],
  ['implicit', 30],
] as const)('image and every gradient agree with double precision: %s, %i iterations', async (gradient, iterations) => {
  const network = createNetwork('unrolled', { cascades: 2, channels: 2, pools: 1, iterations, gradient });
  const { graph, image, parameters, inputs } = build(network);
  const random = new MT19937(3);
  const store = ParameterStore.initialise(network.parameters, 1);
  for (const { name } of network.parameters)
    if (/up_conv\.0\.1\./.test(name)) store.get(name).set(uniform(random, store.get(name).length));
  const feeds = {
    ...feedsOf(store),
    image: uniform(random, 2 * points),
    maps: normalisedMaps(random),
    mask: Float32Array.from({ length: width }, (_, x) => Number(x % 3 === 0 || Math.abs(x - width / 2) < 2)),
  };
  graph.output('output', image);
  const [truth] = evaluate(graph, feeds, [image]);
  expect(relativeError((await runGraph(graph, feeds)).output, truth.data)).toBeLessThan(1e-5);
  const loss = reduceSum(multiply(image, image));
  expect(gradientError(graph, feeds, loss, [...parameters, inputs.image()])).toBeLessThan(1e-4);
});

test('a cascade holds one U-Net and one weight', () => {
  const unet = parameterCount(createNetwork('unet', { channels: 4, pools: 2, affine: true }));
  const network = createNetwork('unrolled', { cascades: 3, channels: 4, pools: 2 });
  expect(parameterCount(network)).toBe(3 * unet + 4);
  expect(createNetwork('unrolled', network.config).parameters).toEqual(network.parameters);
});

test.each([
  ['an unknown field', { layers: 3 }, /unrolled: config: .*layers/],
  ['no iterations', { iterations: 0 }, /unrolled: iterations/],
])('rejects %s', (_, config, message) => {
  expect(() => createNetwork('unrolled', config)).toThrow(
    expect.objectContaining({ code: 'ERR_MODEL', message: expect.stringMatching(message) }),
  );
});
