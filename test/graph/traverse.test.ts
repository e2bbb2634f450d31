// The order in which a graph is written, and the order in which ONNX Runtime then computes it.
import { expect, test } from 'vitest';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { differentiate } from '#larmor/graph/differentiate.js';
import * as op from '#larmor/graph/operations.js';
import { liveNodes, resultsLast } from '#larmor/graph/traverse.js';
import { executionOrder } from '../support/execution-order.js';

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

  const convolutions = executionOrder(written).filter(
    ({ operator, attributes: { transposed } }) =>
      operator.name === 'Conv3x3WeightGradient' || (operator.name === 'Conv3x3' && transposed === 1),
  );
  // Of the first layer nobody wants the gradient of the image.
  const kinds = convolutions.map(({ operator }) => (operator.name === 'Conv3x3' ? 'image' : 'weights'));
  const layers = Array.from({ length: LAYERS }, (_, layer) => kinds.slice(2 * layer, 2 * layer + 2).sort());
  expect(layers).toEqual([...Array.from({ length: LAYERS - 1 }, () => ['image', 'weights']), ['weights']]);
  // What is summed up for tied weights keeps its place by itself.
  const inOrder = executionOrder(live).filter((node) => convolutions.includes(node));
  if (!tied) expect(inOrder.slice(0, LAYERS - 1).every(({ operator }) => operator.name === 'Conv3x3')).toBe(true);
});
