// The unrolled network of MoDL and SSDU against plain loops with a dense solver, central differences, and its published size.
import { describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { differentiate } from '#larmor/graph/differentiate.js';
import type { Value } from '#larmor/graph/types.js';
import { GraphInputs } from '#larmor/networks/graph-inputs.js';
import { createNetwork, type Network, parameterCount } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createPredictor } from '#larmor/networks/predictor.js';
import { LOSSES } from '#larmor/training/losses.js';
import { createTrainingSession } from '#larmor/training/open-session.js';
import { gradientError, randomLoss, relativeError, uniform } from '../support/graph-checks.js';
import { evaluate } from '../support/interpreter.js';
import { physicsRules } from '../support/interpreter-physics.js';
import { type Planes, resnet } from '../support/plain-resnet.js';
import { runGraph } from '../support/run-graph.js';
import { tensor } from '../support/tensor.js';

const [coils, height, width] = [2, 5, 4];
const pixels = height * width;
const TINY = { unrolls: 2, blocks: 2, channels: 3, cgIterations: 60 };

const random = new MT19937(8);
const maps = uniform(random, 2 * coils * pixels);
const mask = Float32Array.of(1, 0, 1, 0);
const kspace = uniform(random, 2 * coils * pixels);
const physics = {
  maps: tensor([1, coils, height, width, 2], Float64Array.from(maps)),
  mask: tensor([1, 1, width], Float64Array.from(mask)),
};
const zeroFilled = physicsRules.EncodeAdjoint(
  [tensor(physics.maps.shape, Float64Array.from(kspace)), physics.maps, physics.mask],
  {},
  [],
)[0];
const data = { image: Float32Array.from(zeroFilled.data), maps, mask };

interface Built {
  readonly graph: GraphBuilder;
  readonly image: Value;
  readonly parameters: readonly Value[];
}

function build(network: Network): Built {
  const graph = new GraphBuilder();
  const parameters = new Map(network.parameters.map(({ name, shape }) => [name, graph.input(name, shape)]));
  const inputs = new GraphInputs(graph, network, { coils, height, width });
  const { image } = network.reconstruct(inputs, (name) => parameters.get(name) as Value);
  return { graph, image, parameters: [...parameters.values()] };
}

/** Weights large enough that every layer shows. */
function weightsOf(network: Network): ParameterStore {
  const weights = ParameterStore.initialise(network.parameters, 4);
  for (const { name } of network.parameters)
    weights.get(name).forEach((value, i, all) => {
      all[i] = value * (name === 'mu' ? 10 : 4);
    });
  return weights;
}

const feedsOf = (store: ParameterStore): Record<string, Float32Array> => ({
  ...data,
  ...Object.fromEntries(store.specs.map(({ name }) => [name, store.get(name)])),
});

test.each([
  ['tied', true, 592_129],
  ['untied', false, 1_145_089],
])('as many parameters as published: %s', (_, tieBlockConvs, count) => {
  expect(parameterCount(createNetwork('modl', { tieBlockConvs }))).toBe(count);
});

test('weights start normal, of deviation 0.05', () => {
  const { parameters } = createNetwork('modl', {});
  const weights = ParameterStore.initialise(parameters, 9);
  const source = new MT19937(9);
  expect([...weights.get('regulariser.first.weight').subarray(0, 3)]).toEqual(
    Array.from({ length: 3 }, () => Math.fround(0.05 * source.normal())),
  );
  const kernel = weights.get('regulariser.blocks.14.weight');
  const energy = kernel.reduce((sum, value) => sum + value * value, 0);
  expect(Math.abs(Math.sqrt(energy / kernel.length) / 0.05 - 1)).toBeLessThan(5 / Math.sqrt(2 * kernel.length));
  expect(weights.get('mu')).toEqual(Float32Array.of(0.05));
});

/** A^H A + mu as rows, from its action on unit vectors; it is symmetric. */
function normalMatrix(mu: number): number[][] {
  return Array.from({ length: 2 * pixels }, (_, column) => {
    const unit = tensor([1, 2, height, width]);
    unit.data[column] = 1;
    const [image] = physicsRules.EncodeNormal([unit, physics.maps, physics.mask], {}, []);
    return Array.from(image.data, (value, row) => value + (row === column ? mu : 0));
  });
}

/** Gaussian elimination of a positive definite matrix. */
function solveDense(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]]);
  const n = rows.length;
  for (let pivot = 0; pivot < n; pivot++)
    for (let row = 0; row < n; row++) {
      if (row === pivot) continue;
      const factor = rows[row][pivot] / rows[pivot][pivot];
      for (let k = pivot; k <= n; k++) rows[row][k] -= factor * rows[pivot][k];
    }
  return rows.map((row, i) => row[n] / row[i]);
}

const planesOf = (image: ArrayLike<number>): Planes =>
  [0, 1].map((part) => Float64Array.from({ length: pixels }, (_, p) => image[part * pixels + p]));

describe.each([
  ['tied', true],
  ['untied', false],
])('%s kernels', (_, tieBlockConvs) => {
  test('plain loops and a dense solver give the same image', async () => {
    const network = createNetwork('modl', { ...TINY, tieBlockConvs });
    const weights = weightsOf(network);
    const mu = weights.get('mu')[0];
    let want: number[] = [...data.image];
    for (let unroll = 0; unroll < TINY.unrolls; unroll++) {
      const denoised = resnet(planesOf(want), weights, { width, blocks: TINY.blocks, tied: tieBlockConvs }).flatMap(
        (plane) => [...plane],
      );
      want = solveDense(
        normalMatrix(mu),
        denoised.map((z, i) => data.image[i] + mu * z),
      );
    }
    const { graph, image } = build(network);
    const feeds = feedsOf(weights);
    expect(relativeError(evaluate(graph, feeds, [image])[0].data, want)).toBeLessThan(1e-9);
    using predictor = await createPredictor({ network, weights, coils, height, width, threads: 1 });
    expect(relativeError(await predictor.predict(data), want)).toBeLessThan(1e-5);
  });

  test.each([
    ['implicit', 60],
    ['unrolled', 2],
  ])('%s gradients of all weights and of mu equal central differences', (gradient, cgIterations) => {
    const network = createNetwork('modl', { ...TINY, cgIterations, tieBlockConvs, gradient });
    const { graph, image, parameters } = build(network);
    const feeds = feedsOf(weightsOf(network));
    const loss = randomLoss(graph, [image]);
    for (const parameter of parameters)
      expect(gradientError(graph, feeds, loss, [parameter]), parameter.name).toBeLessThan(1e-5);
  });
});

test('ONNX Runtime computes the same image and gradients, bit-equal for any number of threads', async () => {
  const network = createNetwork('modl', TINY);
  const { graph, image, parameters } = build(network);
  const gradients = differentiate(randomLoss(graph, [image]), parameters);
  const outputs = [image, ...gradients];
  outputs.forEach((value, i) => {
    graph.output(`output${i}`, value);
  });
  const feeds = feedsOf(weightsOf(network));
  const truth = evaluate(graph, feeds, outputs);
  const results = await runGraph(graph, feeds);
  truth.forEach(({ data }, i) => {
    expect(relativeError(results[`output${i}`], data)).toBeLessThan(1e-4);
  });
  expect(await runGraph(graph, feeds, { threads: 2 })).toEqual(results);
});

describe('mu', () => {
  const network = createNetwork('modl', { ...TINY, gradient: 'implicit' });
  const predict = async (mu: number): Promise<Float32Array> => {
    const weights = weightsOf(network);
    weights.get('mu')[0] = mu;
    using predictor = await createPredictor({ network, weights, coils, height, width, threads: 1 });
    return predictor.predict(data);
  };

  test('counts by its magnitude', async () => {
    expect(await predict(-0.3)).toEqual(await predict(0.3));
  });

  test('of 0 ends training with the number of the step', async () => {
    const weights = weightsOf(network);
    weights.get('mu')[0] = 0;
    const shapes = { batch: 1, height, width, coils };
    await using session = await createTrainingSession({
      network,
      weights,
      loss: LOSSES.supervised,
      shapes,
      threads: 1,
    });
    session.set(data);
    await expect(session.step()).rejects.toMatchObject({
      code: 'ERR_DIVERGED',
      message: expect.stringMatching(/diverged at step 1: the data consistency/),
    });
  });

  test('of 0 is an error where the exact solution is asked for, and harmless to an iteration', async () => {
    await expect(predict(0)).rejects.toMatchObject({ code: 'ERR_DIVERGED' });
    const few = createNetwork('modl', { ...TINY, cgIterations: 3 });
    expect(few.config.gradient).toBe('unrolled');
    const weights = weightsOf(few);
    weights.get('mu')[0] = 0;
    using predictor = await createPredictor({ network: few, weights, coils, height, width, threads: 1 });
    expect((await predictor.predict(data)).every(Number.isFinite)).toBe(true);
  });
});

test.each(['implicit', 'unrolled'])(
  'training with the %s gradient brings the image nearer to its target',
  async (gradient) => {
    const network = createNetwork('modl', { ...TINY, cgIterations: 5, gradient });
    const weights = ParameterStore.initialise(network.parameters, 2);
    await using session = await createTrainingSession({
      network,
      weights,
      loss: LOSSES.supervised,
      shapes: { batch: 1, height, width, coils },
      optimiser: { learningRate: 3e-3 },
      threads: 1,
    });
    // the network cannot know this object, but one weight set can learn it
    session.set({ ...data, target: uniform(new MT19937(1), 2 * pixels) });
    const first = (await session.step()).loss;
    for (let i = 0; i < 60; i++) await session.step();
    const last = (await session.evaluate()).loss;
    expect(last).toBeLessThan(0.6 * first);
    expect((await session.weights()).get('mu')[0]).not.toBe(0.05);
  },
);

test.each([
  ['an unknown field', { layers: 3 }, /modl: config: .*layers/],
  ['no unrolls', { unrolls: 0 }, /modl: unrolls/],
  ['another gradient', { gradient: 'exact' }, /modl: gradient/],
])('rejects %s', (_, config, message) => {
  expect(() => createNetwork('modl', config)).toThrow(
    expect.objectContaining({ code: 'ERR_MODEL', message: expect.stringMatching(message) }),
  );
});
