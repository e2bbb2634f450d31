// The order in which a graph is written, and the order in which ONNX Runtime then computes it.
import { expect, test } from 'vitest';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { differentiate } from '#larmor/graph/differentiate.js';
import * as op from '#larmor/graph/operations.js';
import { liveNodes, resultsLast } from '#larmor/graph/traverse.js';
import type { Node, Value } from '#larmor/graph/types.js';

const LAYERS = 4;

/** Layers of one convolution each; `tied` gives all of them the same weights. */
function trainingGraph(tied: boolean): GraphBuilder {
  const graph = new GraphBuilder();
  const weights = Array.from({ length: tied ? 1 : LAYERS }, (_, i) => graph.input(`w${i}`, [2, 2, 3, 3]));
  let x = graph.input('x', [1, 2, 4, 4]);
  for (let layer = 0; layer < LAYERS; layer++) x = op.relu(op.conv3x3(x, weights[tied ? 0 : layer]));
  differentiate(op.reduceSum(x), weights).forEach((gradient, i) => {
    graph.output(`gradient.${i}`, gradient);
  });
  return graph;
}

/** As ONNX Runtime does: depth first from the nodes whose results nobody uses, of these and of inputs the last in the file first. */
function computed(nodes: readonly Node[]): Node[] {
  const maker = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const done = new Set<Node>();
  const lastFirst = (some: readonly Node[]): Node[] => some.toSorted((a, b) => nodes.indexOf(b) - nodes.indexOf(a));
  const visit = (node: Node): void => {
    if (done.has(node)) return;
    for (const before of lastFirst(node.inputs.flatMap((input: Value) => maker.get(input) ?? []))) visit(before);
    done.add(node);
  };
  for (const node of lastFirst(nodes.filter(({ outputs }) => !outputs.some((output) => used.has(output))))) visit(node);
  return [...done];
}

test.each([false, true])('weight gradients are computed where they arise, tied weights: %s', (tied) => {
  const graph = trainingGraph(tied);
  const live = liveNodes(graph, graph.outputs.values());
  const written = resultsLast(live);
  expect(new Set(written)).toEqual(new Set(live));
  const position = new Map(written.map((node, i) => [node, i]));
  for (const { inputs, outputs } of written)
    for (const other of written)
      if (other.inputs.some((input) => outputs.includes(input)))
        expect(position.get(other)).toBeGreaterThan(
          inputs.length === 0 ? -1 : written.findIndex((n) => n.outputs === outputs),
        );

  const convolutions = computed(written).filter(
    ({ operator, attributes: { transposed } }) =>
      operator.name === 'Conv3x3WeightGradient' || (operator.name === 'Conv3x3' && transposed === 1),
  );
  const kinds = convolutions.map(({ operator }) => (operator.name === 'Conv3x3' ? 'image' : 'weights'));
  // Of the first layer nobody wants the gradient of the image.
  expect(kinds).toEqual([...Array.from({ length: LAYERS - 1 }, () => ['weights', 'image']).flat(), 'weights']);

  const inOrder = computed(live).filter((node) => convolutions.includes(node));
  expect(inOrder.slice(0, LAYERS - 1).every(({ operator }) => operator.name === 'Conv3x3')).toBe(true);
});
