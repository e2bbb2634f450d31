// Reverse-mode differentiation: appends to a graph the nodes that compute the gradient of a scalar.
import { formatShape, points } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { add, after } from './operations.js';
import { type Recall, recallStages } from './recompute.js';
import { dependents, liveNodes } from './traverse.js';
import type { Node, Value } from './types.js';

function gradientRule(
  { operator, inputs, attributes, outputs }: Node,
  upstream: readonly (Value | undefined)[],
  recall: Recall,
): (Value | null | undefined)[] {
  const dy = upstream[0] as Value;
  const call = { inputs: inputs.map(recall), outputs: outputs.map(recall), attributes, upstream, dy };
  return operator.gradient ? [...operator.gradient(call)] : [];
}

/** Those of `values` that more than one input of a node is. */
function shared(nodes: readonly Node[], values: readonly Value[]): Set<Value> {
  const uses = new Map(values.map((value) => [value, 0]));
  for (const { inputs } of nodes)
    for (const input of inputs) if (uses.has(input)) uses.set(input, (uses.get(input) as number) + 1);
  return new Set(values.filter((value) => (uses.get(value) as number) > 1));
}

/** Indices of inputs: those in `first` before the others. */
function inOrder(inputs: readonly Value[], first: ReadonlySet<Value>): number[] {
  const indices = [...inputs.keys()];
  return [...indices.filter((i) => first.has(inputs[i])), ...indices.filter((i) => !first.has(inputs[i]))];
}

export interface DifferentiateOptions {
  /**
   * Compute the insides of the graph's stages again on the way back instead of keeping them: the memory of one stage at a time, for the
   * time of a second forward pass. The same numbers, to rounding. Default: false.
   */
  readonly recompute?: boolean | undefined;
}

/**
 * dL/dv for every v of `wanted`, as values of the same graph and the shapes of v.
 *
 * Nodes that a gradient needs none of are not executed: what the outputs of a graph do not depend on is left out of its ONNX form.
 *
 * @param loss One float32 number, of any rank.
 * @throws LarmorError `ERR_SHAPE` if loss is not one number; `ERR_GRAPH` if it does not depend on a wanted value, or only
 *   through an operator that has no gradient rule for it.
 */
export function differentiate(
  loss: Value,
  wanted: readonly Value[],
  { recompute = false }: DifferentiateOptions = {},
): Value[] {
  if (points(loss.shape) !== 1)
    throw new LarmorError('ERR_SHAPE', `differentiate: loss must be one number, got shape ${formatShape(loss.shape)}`);
  const { graph } = loss;
  const nodes = liveNodes(graph, [loss]);
  const varying = dependents(nodes, wanted);
  const recallAt = recompute ? recallStages(nodes, [loss, ...graph.outputs.values()]) : () => (value: Value) => value;
  const sums = shared(nodes, wanted);
  const gradients = new Map<Value, Value>([[loss, graph.constant(Float32Array.of(1), loss.shape)]]);

  for (const node of nodes.toReversed()) {
    const upstream = node.outputs.map((output) => gradients.get(output));
    if (upstream.every((dy) => dy === undefined) || !node.inputs.some((input) => varying.has(input))) continue;
    const event = upstream.find((dy) => dy !== undefined) as Value;
    const parts = gradientRule(node, upstream, recallAt(node, event));
    // A weight used more than once has a sum of gradients, which nothing but the end of the run waits for. ONNX Runtime would put off
    // what is summed, and hold all that it reads: so the way back goes on after the sum so far.
    const ready: Value[] = [];
    for (const i of inOrder(node.inputs, sums)) {
      const input = node.inputs[i];
      if (!varying.has(input)) continue;
      const part = parts[i];
      if (part === undefined)
        throw new LarmorError(
          'ERR_GRAPH',
          `differentiate: ${node.operator.name} has no gradient with respect to ${node.operator.inputs[i] ?? `input ${i}`}`,
        );
      if (part === null) continue;
      const sum = gradients.get(input);
      const own = sums.has(input) ? part : ready.reduce(after, part);
      const total = sum ? add(sum, own) : own;
      gradients.set(input, total);
      if (sums.has(input)) ready.push(total);
    }
  }

  return wanted.map((value) => {
    const gradient = gradients.get(value);
    if (!gradient) throw new LarmorError('ERR_GRAPH', `differentiate: the loss does not depend on "${value.name}"`);
    return gradient;
  });
}
