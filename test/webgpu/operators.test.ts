// Every operator and its gradients on WebGPU, without falling back to the CPU, against the same graph in double precision.
import { expect, test } from 'vitest';
import { differentiate } from '#larmor/graph/differentiate.js';
import { toWebgpu } from '#larmor/graph/webgpu.js';
import { buildCase, randomLoss, relativeError } from '../support/graph-checks.js';
import { evaluate } from '../support/interpreter.js';
import { operatorCases } from '../support/operator-cases.js';
import { runGraph } from '../support/run-graph.js';

test.each(operatorCases)('$operator $what', async (operatorCase) => {
  const { graph, inputs, outputs, feeds } = buildCase(operatorCase);
  outputs.forEach((output, i) => {
    graph.output(`output${i}`, output);
  });
  const names = operatorCase.differentiable ?? Object.keys(inputs);
  const wanted = names.map((name) => inputs[name]);
  const gradients = names.length > 0 ? differentiate(randomLoss(graph, outputs), wanted) : [];
  gradients.forEach((gradient, i) => {
    graph.output(`gradient.${names[i]}`, gradient);
  });
  const got = await runGraph(toWebgpu(graph), feeds, { device: 'webgpu' });
  const want = evaluate(graph, feeds, [...graph.outputs.values()]);
  // float32 carries 6e-8 per operation; the longest sums here have some hundred terms.
  [...graph.outputs.keys()].forEach((name, i) => {
    expect(relativeError(got[name], want[i].data), name).toBeLessThan(1e-5);
  });
});
