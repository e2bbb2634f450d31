// Stages computed again on the way back: the same bits, nothing inside them kept, and so less memory.
import { expect, test } from 'vitest';
import { points } from '#larmor/arrays/complex-array.js';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { differentiate } from '#larmor/graph/differentiate.js';
import { exp, multiply, reduceSum, relu, tanh } from '#larmor/graph/operations.js';
import { liveNodes, resultsLast } from '#larmor/graph/traverse.js';
import type { Value } from '#larmor/graph/types.js';
import { createNetwork, type Network } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { buildTrainingGraphs } from '#larmor/training/graph.js';
import { LOSSES } from '#larmor/training/losses.js';
import { createTrainingSession } from '#larmor/training/open-session.js';
import type { TrainingSession } from '#larmor/training/session.js';
import { executionOrder } from '../support/execution-order.js';
import { relativeError, uniform } from '../support/graph-checks.js';
import { evaluate } from '../support/interpreter.js';

/** Two stages over one weight, the second with a stage of its own inside; a value of the first is also read by the loss. */
function chain(): { graph: GraphBuilder; loss: Value; wanted: Value[]; inner: Value[]; kept: Value[] } {
  const graph = new GraphBuilder();
  const x = graph.input('x', [3, 4]);
  const w = graph.input('w', [4]);
  const inner: Value[] = [];
  const hidden = (value: Value): Value => {
    inner.push(value);
    return value;
  };
  const shared = { value: x };
  const first = graph.stage(() => {
    shared.value = tanh(hidden(multiply(x, w)));
    return exp(hidden(multiply(shared.value, w)));
  });
  const second = graph.stage(() =>
    tanh(hidden(graph.stage(() => multiply(hidden(exp(hidden(multiply(first, w)))), w)))),
  );
  const loss = reduceSum(multiply(second, shared.value));
  return { graph, loss, wanted: [x, w], inner, kept: [first, second, shared.value] };
}

test('nothing on the way back reads the inside of a stage, and the gradients are the same bits', () => {
  const feeds = { x: uniform(new MT19937(1), 12), w: uniform(new MT19937(2), 4) };
  const plain = chain();
  const want = evaluate(plain.graph, feeds, differentiate(plain.loss, plain.wanted));
  const { graph, loss, wanted, inner, kept } = chain();
  const forward = graph.nodes.length;
  const gradients = differentiate(loss, wanted, { recompute: true });
  const read = new Set(graph.nodes.slice(forward).flatMap(({ inputs }) => inputs));
  expect(inner.filter((value) => read.has(value))).toEqual([]);
  expect(kept.every((value) => read.has(value))).toBe(true);
  expect(evaluate(graph, feeds, gradients)).toEqual(want);
});

test('without being asked, the insides are read', () => {
  const { graph, loss, wanted, inner } = chain();
  const forward = graph.nodes.length;
  differentiate(loss, wanted);
  const read = new Set(graph.nodes.slice(forward).flatMap(({ inputs }) => inputs));
  expect(inner.some((value) => read.has(value))).toBe(true);
});

test('a stage that throws ends', () => {
  const graph = new GraphBuilder();
  const x = graph.input('x', [1]);
  expect(() =>
    graph.stage(() => {
      throw new Error('broken');
    }),
  ).toThrow('broken');
  relu(x);
  expect(graph.nodes[0].stage).toBeUndefined();
});

async function trained(
  network: Network,
  [coils, height, width]: readonly [number, number, number],
  recompute: boolean,
  use: (session: TrainingSession) => Promise<void>,
): Promise<void> {
  const random = new MT19937(3);
  const planes = 2 * height * width;
  const mask = Float32Array.from({ length: width }, (_, x) => (x % 2 === 0 || Math.abs(x - width / 2) < 3 ? 1 : 0));
  const data = {
    image: uniform(random, planes),
    maps: uniform(random, coils * planes),
    kspace: uniform(random, coils * planes),
    calibrationMask: mask.map((value, x) => (Math.abs(x - width / 2) < 3 ? value : 0)),
    mask,
    target: uniform(random, planes),
    targetMagnitude: uniform(random, planes / 2),
    targetRss: uniform(random, planes / 2),
  };
  await using session = await createTrainingSession({
    network,
    weights: ParameterStore.initialise(network.parameters, 1),
    loss: network.gives === 'coils' ? LOSSES['supervised-magnitude'] : LOSSES.supervised,
    shapes: { batch: 1, height, width, coils },
    recompute,
    threads: 1,
  });
  session.set(Object.fromEntries(Object.entries(data).filter(([name]) => session.inputs.includes(name))));
  await use(session);
}

/** Gradients of all weights, kept and recomputed. */
async function gradientsOf(network: Network): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  for (const recompute of [false, true])
    await trained(network, [3, 16, 18], recompute, async (session) => {
      await session.step();
      results.push((await session.gradients()).data);
    });
  return results;
}

test.each([
  ['modl', { unrolls: 3, blocks: 2, channels: 4, cgIterations: 3 }],
  ['modl', { unrolls: 3, blocks: 2, channels: 4, cgIterations: 3, gradient: 'unrolled' }],
  ['unrolled', { cascades: 2, channels: 2, pools: 2, iterations: 3 }],
])('%s %j has the same gradients, to the bit', async (kind, config) => {
  const [kept, recomputed] = await gradientsOf(createNetwork(kind, config));
  expect(recomputed).toEqual(kept);
  expect(kept.some((value) => value !== 0)).toBe(true);
});

// ONNX Runtime fuses some elementwise operators where nothing else reads what is between them.
test('a VarNet has the same gradients, to rounding', async () => {
  const config = { cascades: 2, channels: 2, pools: 2, sensitivity: { channels: 2, pools: 2 } };
  const [kept, recomputed] = await gradientsOf(createNetwork('varnet', config));
  expect(relativeError(recomputed, kept)).toBeLessThan(1e-5);
});

/** Most numbers in memory at once while a training step runs in ONNX Runtime's order: of what is neither given nor a result. */
function mostHeld(network: Network, recompute: boolean): number {
  const shapes = { batch: 1, height: 16, width: 16, coils: 1 };
  const { step } = buildTrainingGraphs({ network, loss: LOSSES.supervised, shapes, recompute });
  const order = executionOrder(resultsLast(liveNodes(step, step.outputs.values())));
  const results = new Set(step.outputs.values());
  const lastUse = new Map(
    order.flatMap(({ inputs, outputs }, i) => [...outputs, ...inputs].map((value) => [value, i])),
  );
  const alive = new Set<Value>();
  let most = 0;
  order.forEach(({ inputs, outputs }, i) => {
    for (const output of outputs) if (!results.has(output)) alive.add(output);
    most = Math.max(
      most,
      [...alive].reduce((total, { shape }) => total + points(shape), 0),
    );
    for (const value of [...inputs, ...outputs]) if (lastUse.get(value) === i) alive.delete(value);
  });
  return most;
}

test.each([
  ['modl', { unrolls: 8, blocks: 4, channels: 8, cgIterations: 1 }],
  ['unrolled', { cascades: 8, channels: 8, pools: 2 }],
])('a training step of %s holds less than half', (kind, config) => {
  const network = createNetwork(kind, config);
  expect(mostHeld(network, true)).toBeLessThan(mostHeld(network, false) / 2);
});
