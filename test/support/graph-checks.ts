// Builds operator cases with seeded values and compares gradients with central differences.
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { GraphBuilder } from '#larmor/graph/builder.js';
import { differentiate } from '#larmor/graph/differentiate.js';
import { add, multiply, reduceSum } from '#larmor/graph/operations.js';
import type { Graph, Value } from '#larmor/graph/types.js';
import { evaluate } from './interpreter.js';
import type { OperatorCase } from './operator-cases.js';
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

const DIRECTIONS = 6;

/**
 * Relative error of the differentiated graph for every input in `wanted`: derivatives along random directions, beside central
 * differences in double precision.
 */
export function gradientErrors(
  graph: Graph,
  feeds: Readonly<Record<string, ArrayLike<number>>>,
  loss: Value,
  wanted: readonly Value[],
): number[] {
  const h = 1e-5;
  const random = new MT19937(13);
  const results = evaluate(graph, feeds, differentiate(loss, wanted));
  return wanted.map(({ name, shape }, i) => {
    const start = Float64Array.from(feeds[name]);
    const directions = Array.from({ length: DIRECTIONS }, () => uniform(random, size(shape)));
    const lossAt = (direction: Float32Array, step: number): number => {
      const moved = start.map((x, k) => x + step * direction[k]);
      return evaluate(graph, { ...feeds, [name]: moved }, [loss])[0].data[0];
    };
    const numerical = directions.map((direction) => (lossAt(direction, h) - lossAt(direction, -h)) / (2 * h));
    const analytic = directions.map((direction) => direction.reduce((sum, d, k) => sum + d * results[i].data[k], 0));
    return relativeError(analytic, numerical);
  });
}
