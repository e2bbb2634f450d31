// Graphs lowered for WebGPU compute what the fused ones do: told on the CPU, which runs both.
import { describe, expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { multiply, reshape } from '#larmor/graph/operations.js';
import type { Graph } from '#larmor/graph/types.js';
import { toReplayable, toWebgpu } from '#larmor/graph/webgpu.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { buildTrainingGraphs } from '#larmor/training/graph.js';
import { LOSSES, type LossDescription } from '#larmor/training/losses.js';
import { buildCase, relativeError, uniform } from '../support/graph-checks.js';
import { evaluate } from '../support/interpreter.js';
import { operatorCases } from '../support/operator-cases.js';
import { runGraph } from '../support/run-graph.js';

/** What WebGPU's provider leaves to the CPU, or cannot compute right. */
function unfit({ nodes }: Graph): string[] {
  return nodes
    .filter(({ operator, attributes }) => {
      const strides = operator.name === 'Slice' ? (attributes.steps as readonly number[]) : [];
      return operator.domain !== '' || operator.name === 'Sign' || strides.some((step) => step < -1);
    })
    .map(({ operator }) => operator.name);
}

/** Results that come from no kernel of their own, which a repeated run would leave out. */
function copied({ nodes, outputs }: Graph): string[] {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((value) => [value, node.operator.name] as const)));
  const values = [...outputs.values()];
  return [...outputs].flatMap(([name, value], i) =>
    values.indexOf(value) < i || ['Reshape', undefined].includes(makers.get(value)) ? [name] : [],
  );
}

test('results that are copies of others come from kernels in graphs that are repeated', async () => {
  const graph = new GraphBuilder();
  const x = graph.input('x', [2, 3]);
  const y = multiply(x, 2);
  const results = {
    given: x,
    made: y,
    again: y,
    reshaped: reshape(y, [6]),
    constant: graph.constant(Float32Array.of(5), [1]),
  };
  for (const [name, value] of Object.entries(results)) graph.output(name, value);
  const replayable = toReplayable(graph);
  expect(copied(graph)).toEqual(['given', 'again', 'reshaped', 'constant']);
  expect(copied(replayable)).toEqual([]);
  const feeds = { x: Float32Array.of(1, -2, 3, -4, 5, -6) };
  expect(await runGraph(replayable, feeds)).toEqual(await runGraph(graph, feeds));
});

test.each(operatorCases)('$operator $what', (operatorCase) => {
  const { graph, outputs, feeds } = buildCase(operatorCase);
  outputs.forEach((output, i) => {
    graph.output(`y${i}`, output);
  });
  const lowered = toWebgpu(graph);
  expect(unfit(lowered)).toEqual([]);
  const want = evaluate(graph, feeds, outputs);
  const got = evaluate(lowered, feeds, [...lowered.outputs.values()]);
  // epsilon is a float32 constant in the standard form
  want.forEach(({ data }, i) => {
    expect(relativeError(got[i].data, data)).toBeLessThan(1e-6);
  });
});

describe('training steps, outputs and gradients', () => {
  const unrolled = { cascades: 2, channels: 4, pools: 1, iterations: 3 };
  const cases: { kind: string; config: object; loss: keyof typeof LOSSES }[] = [
    { kind: 'unet', config: { channels: 4, pools: 2 }, loss: 'joint' },
    { kind: 'unet', config: { channels: 4, pools: 2, affine: true }, loss: 'ssdu' },
    { kind: 'unrolled', config: unrolled, loss: 'self' },
    { kind: 'unrolled', config: unrolled, loss: 'joint-magnitude' },
    { kind: 'modl', config: { unrolls: 2, blocks: 2, channels: 4, cgIterations: 4 }, loss: 'ssdu' },
    {
      kind: 'varnet',
      config: { cascades: 2, channels: 4, pools: 1, sensitivity: { channels: 2, pools: 1 } },
      loss: 'ssim',
    },
  ];
  test.each(cases)('$kind, $loss', async ({ kind, config, loss }) => {
    const network = createNetwork(kind, config);
    const description: LossDescription = LOSSES[loss];
    const shapes = { batch: 1, coils: 3, height: 20, width: 18 };
    const { step, trained } = buildTrainingGraphs({ network, loss: description, shapes });
    const weights = ParameterStore.initialise(network.parameters, 1);
    const names = new Set(network.parameters.map(({ name }) => name));
    const random = new MT19937(4);
    const masks: Record<string, (x: number) => boolean> = {
      heldOutMask: (x) => x % 5 === 1,
      calibrationMask: (x) => x >= 7 && x < 11,
    };
    const feeds = Object.fromEntries(
      step.inputs.map(({ name, shape }) => {
        if (names.has(name)) return [name, weights.get(name)];
        const length = shape.reduce((product, n) => product * n, 1);
        const sampled = masks[name] ?? ((x: number) => x % 5 !== 1);
        const data =
          name.endsWith('Mask') || name === 'mask'
            ? Float32Array.from({ length }, (_, i) => +sampled(i % 18))
            : uniform(random, length);
        return [name, name.endsWith('Range') ? data.map(() => 1) : Float32Array.from(data)];
      }),
    );
    const lowered = toReplayable(toWebgpu(step));
    expect(unfit(lowered)).toEqual([]);
    expect(copied(lowered)).toEqual([]);
    const [want, got] = [await runGraph(step, feeds), await runGraph(lowered, feeds)];
    const flat = (results: typeof want): number[] => trained.flatMap(({ name }) => [...results[`gradient.${name}`]]);
    expect(relativeError(got.output, want.output), 'output').toBeLessThan(1e-5);
    expect(relativeError(got.loss, want.loss), 'loss').toBeLessThan(1e-5);
    expect(relativeError(flat(got), flat(want)), 'gradients').toBeLessThan(1e-5);
  });
});
