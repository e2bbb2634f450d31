// Every operator of the table: gradient against central differences in double precision, standard form against fused form.
import { describe, expect, test } from 'vitest';
import { operators } from '#larmor/graph/operators/table.js';
import { toPortable } from '#larmor/graph/portable.js';
import { buildCase, gradientError, randomLoss, relativeError } from '../support/graph-checks.js';
import { evaluate, interpretedOperators } from '../support/interpreter.js';
import { operatorCases } from '../support/operator-cases.js';

// Central differences with h = 1e-6 in double: rounding near 1e-9, truncation below; relative to the smallest derivatives here 1e-6.
const GRADIENT_TOLERANCE = 1e-6;

test('every operator has a case and an interpreter rule', () => {
  const cases = new Set(operatorCases.map(({ operator }) => operator));
  expect([...operators.keys()].filter((name) => !cases.has(name))).toEqual([]);
  expect([...operators.keys()].filter((name) => !interpretedOperators.includes(name))).toEqual([]);
});

describe('gradient equals central differences', () => {
  const differentiable = operatorCases.filter(({ differentiable }) => differentiable?.length !== 0);
  test.each(differentiable)('$operator $what', (operatorCase) => {
    const { graph, inputs, outputs, feeds } = buildCase(operatorCase);
    const loss = randomLoss(graph, outputs);
    const wanted = (operatorCase.differentiable ?? Object.keys(inputs)).map((name) => inputs[name]);
    for (const input of wanted)
      expect(gradientError(graph, feeds, loss, [input]), input.name).toBeLessThan(GRADIENT_TOLERANCE);
  });
});

describe('standard form computes the same', () => {
  const fused = operatorCases.filter(({ operator }) => operators.get(operator)?.portable);
  test.each(fused)('$operator $what', (operatorCase) => {
    const { graph, outputs, feeds } = buildCase(operatorCase);
    outputs.forEach((output, i) => {
      graph.output(`y${i}`, output);
    });
    const portable = toPortable(graph);
    expect(portable.nodes.every(({ operator }) => operator.domain === '')).toBe(true);
    const want = evaluate(graph, feeds, outputs);
    const got = evaluate(portable, feeds, [...portable.outputs.values()]);
    // epsilon is a float32 constant in the standard form
    want.forEach(({ data }, i) => {
      expect(relativeError(got[i].data, data)).toBeLessThan(1e-6);
    });
  });
});
