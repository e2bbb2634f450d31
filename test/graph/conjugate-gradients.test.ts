// Data consistency as graph nodes: the gradient of the truncated iteration, and how that of the exact solution compares.
import { expect, test } from 'vitest';
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { type SolveNormalInputs, solveNormalUnrolled } from '#larmor/graph/conjugate-gradients.js';
import { differentiate } from '#larmor/graph/differentiate.js';
import { solveNormal } from '#larmor/graph/physics-operations.js';
import type { Value } from '#larmor/graph/types.js';
import { type Feeds, gradientError, randomLoss, relativeError, uniform } from '../support/graph-checks.js';
import { evaluate } from '../support/interpreter.js';

const [n, coils, ny, nx] = [2, 3, 4, 5];
const random = new MT19937(3);
const feeds: Feeds = {
  b: uniform(random, n * 2 * ny * nx),
  maps: uniform(random, n * coils * ny * nx * 2),
  mask: Float32Array.of(1, 0, 1, 1, 0, 0, 1, 1, 0, 1),
  weight: Float32Array.of(0.3),
};

type Solve = (b: Value, inputs: SolveNormalInputs, options: { iterations: number }) => Value;

function problem(solve: Solve, iterations: number): { graph: GraphBuilder; x: Value; loss: Value; wanted: Value[] } {
  const graph = new GraphBuilder();
  const b = graph.input('b', [n, 2, ny, nx]);
  const maps = graph.input('maps', [n, coils, ny, nx, 2]);
  const mask = graph.input('mask', [n, 1, nx]);
  const weight = graph.input('weight', [1]);
  const x = solve(b, { maps, mask, weight }, { iterations });
  return { graph, x, loss: randomLoss(graph, [x]), wanted: [b, maps, weight] };
}

function gradients(solve: Solve, iterations: number, fed = feeds): Float64Array[] {
  const { graph, loss, wanted } = problem(solve, iterations);
  return evaluate(graph, fed, differentiate(loss, wanted)).map(({ data }) => data);
}

test.each([1, 2, 5])('%d iterations written out: the solver, and its gradient to rounding', (iterations) => {
  const { graph, x, loss, wanted } = problem(solveNormalUnrolled, iterations);
  const solver = problem(solveNormal, iterations);
  const [want] = evaluate(solver.graph, feeds, [solver.x]);
  expect(relativeError(evaluate(graph, feeds, [x])[0].data, want.data)).toBeLessThan(1e-14);
  for (const input of wanted) expect(gradientError(graph, feeds, loss, [input]), input.name).toBeLessThan(1e-6);
});

test('the gradient of the exact solution differs after few iterations and agrees after many', () => {
  const errors = (iterations: number): number[] => {
    const exact = gradients(solveNormalUnrolled, iterations);
    return gradients(solveNormal, iterations).map((gradient, i) => relativeError(gradient, exact[i]));
  };
  for (const error of errors(2)) expect(error).toBeGreaterThan(0.01);
  for (const error of errors(40)) expect(error).toBeLessThan(1e-9);
});

test.each([
  ['solveNormal', solveNormal],
  ['solveNormalUnrolled', solveNormalUnrolled],
] as const)('%s of an empty image is empty and has finite gradients', (_, solve) => {
  const empty = { ...feeds, b: new Float32Array(feeds.b.length) };
  empty.b.set(feeds.b.subarray(0, empty.b.length / 2)); // the second image of the batch
  const { graph, x } = problem(solve, 3);
  const [{ data }] = evaluate(graph, empty, [x]);
  expect(data.subarray(data.length / 2).every((value) => value === 0)).toBe(true);
  expect(data.subarray(0, data.length / 2).every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
  for (const gradient of gradients(solve, 3, empty)) expect(gradient.every(Number.isFinite)).toBe(true);
});

test('wrong shapes and counts are errors when the graph is built', () => {
  const graph = new GraphBuilder();
  const b = graph.input('b', [1, 2, 4, 5]);
  const maps = graph.input('maps', [1, 3, 4, 5, 2]);
  const mask = graph.input('mask', [1, 1, 5]);
  const weights = graph.input('weight', [2]);
  const weight = graph.input('one', [1]);
  expect(() => solveNormal(b, { maps, mask, weight: weights }, { iterations: 3 })).toThrow(
    'SolveNormal: weight must have shape [1], got [2]',
  );
  expect(() => solveNormal(b, { maps, mask: weight, weight }, { iterations: 3 })).toThrow(
    /SolveNormal: mask must have/,
  );
  expect(() => solveNormal(b, { maps, mask, weight }, { iterations: 0 })).toThrow(
    'SolveNormal: iterations must be 1 or more, got 0',
  );
});
