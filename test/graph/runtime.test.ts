// Every operator and every gradient in ONNX Runtime against the same graph in double precision.
import { describe, expect, test } from 'vitest';
import { differentiate } from '#larmor/graph/differentiate.js';
import { toPortable } from '#larmor/graph/portable.js';
import type { Graph } from '#larmor/graph/types.js';
import { buildCase, type Feeds, randomLoss, relativeError } from '../support/graph-checks.js';
import { evaluate } from '../support/interpreter.js';
import type { OperatorCase } from '../support/operator-case.js';
import { operatorCases } from '../support/operator-cases.js';
import { runGraph } from '../support/run-graph.js';

// float32 carries 6e-8 per operation; the longest sums here have some hundred terms.
const TOLERANCE = 5e-6;

/** The case's outputs and the gradients of a random functional of them, all as outputs of one graph. */
function withGradients(operatorCase: OperatorCase): { graph: Graph; feeds: Feeds } {
  const { graph, inputs, outputs, feeds } = buildCase(operatorCase);
  outputs.forEach((output, i) => {
    graph.output(`output${i}`, output);
  });
  const names = operatorCase.differentiable ?? Object.keys(inputs);
  if (names.length > 0)
    differentiate(
      randomLoss(graph, outputs),
      names.map((name) => inputs[name]),
    ).forEach((gradient, i) => {
      graph.output(`gradient.${names[i]}`, gradient);
    });
  return { graph, feeds };
}

async function expectAgreement(graph: Graph, feeds: Feeds): Promise<void> {
  const got = await runGraph(graph, feeds);
  const want = evaluate(graph, feeds, [...graph.outputs.values()]);
  [...graph.outputs.keys()].forEach((name, i) => {
    expect(relativeError(got[name], want[i].data), name).toBeLessThan(TOLERANCE);
  });
}

describe('fused form', () => {
  test.each(operatorCases)('$operator $what', async (operatorCase) => {
    const { graph, feeds } = withGradients(operatorCase);
    await expectAgreement(graph, feeds);
  });
});

describe('standard form', () => {
  const portable = operatorCases.filter(({ operator }) => /^(Conv|InstanceNorm|Encode|Fft2)/.test(operator));
  test.each(portable)('$operator $what', async (operatorCase) => {
    const { graph, feeds } = withGradients(operatorCase);
    await expectAgreement(toPortable(graph), feeds);
  });
});
