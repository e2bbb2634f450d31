// Builds operator cases with seeded values and compares gradients with central differences.
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { differentiate } from '#larmor/graph/differentiate.js';
import { add, multiply, reduceSum } from '#larmor/graph/operations.js';
import type { Graph, Value } from '#larmor/graph/types.js';
import { evaluate } from './interpreter.js';
import type { OperatorCase } from './operator-case.js';
import { size } from './tensor.js';

export type Feeds = Record<string, Float32Array>;

export function uniform(
  random: MT19937,
  count: number,
  [low, high]: readonly [number, number] = [-1, 1],
): Float32Array {
  return Float32Array.from({ length: count }, () => random.uniform(low, high));
}

export interface BuiltCase {
  readonly graph: GraphBuilder;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: readonly Value[];
  readonly feeds: Feeds;
}

export function buildCase(operatorCase: OperatorCase): BuiltCase {
  const random = new MT19937(7);
  const graph = new GraphBuilder();
  const inputs: Record<string, Value> = {};
  const feeds: Feeds = {};
  for (const [name, shape] of Object.entries(operatorCase.inputs)) {
    inputs[name] = graph.input(name, shape);
    const given = operatorCase.given?.[name];
    feeds[name] = given ? Float32Array.from(given) : uniform(random, size(shape), operatorCase.range);
  }
  return { graph, inputs, outputs: operatorCase.apply(inputs, graph), feeds };
}

/** A random linear functional of `outputs`. */
export function randomLoss(graph: GraphBuilder, outputs: readonly Value[]): Value {
  const random = new MT19937(11);
  const terms = outputs.map((output) =>
    reduceSum(multiply(output, graph.constant(uniform(random, size(output.shape)), output.shape))),
  );
  return terms.reduce((sum, term) => add(sum, term));
}

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));

/** ||got - want|| / ||want||. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  const difference = Array.from(want, (w, i) => got[i] - w);
  return norm(difference) / Math.max(norm(want), Number.MIN_VALUE);
}

const STEP = 1e-6; // small, to step over fewer kinks of |.| and leaky ReLU
const DIRECTIONS = 6;

/**
 * Relative error of the differentiated graph with respect to `wanted` taken together: derivatives along random directions, beside
 * central differences in double precision.
 */
export function gradientError(
  graph: Graph,
  feeds: Readonly<Record<string, ArrayLike<number>>>,
  loss: Value,
  wanted: readonly Value[],
): number {
  const random = new MT19937(13);
  const gradients = evaluate(graph, feeds, differentiate(loss, wanted)).map(({ data }) => data);
  const directions = Array.from({ length: DIRECTIONS }, () => wanted.map(({ shape }) => uniform(random, size(shape))));
  const lossAt = (direction: readonly Float32Array[], step: number): number => {
    const moved = wanted.map(({ name }, i) => [
      name,
      Float64Array.from(feeds[name], (x, k) => x + step * direction[i][k]),
    ]);
    return evaluate(graph, { ...feeds, ...Object.fromEntries(moved) }, [loss])[0].data[0];
  };
  const numerical = directions.map((direction) => (lossAt(direction, STEP) - lossAt(direction, -STEP)) / (2 * STEP));
  const analytic = directions.map((direction) => {
    const terms = direction.map((part, i) => part.reduce((sum, d, k) => sum + d * gradients[i][k], 0));
    return terms.reduce((sum, term) => sum + term);
  });
  return relativeError(analytic, numerical);
}
