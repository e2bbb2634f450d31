// Reverse-mode differentiation: appends to a graph the nodes that compute the gradient of a scalar.
import { formatShape, points } from '../arrays/complex-array.js';
import { LarmorError } from '../errors.js';
import { add } from './operations.js';
import { dependents, liveNodes } from './traverse.js';
import type { Node, Value } from './types.js';

function gradientRule(
  { operator, inputs, attributes, outputs }: Node,
  upstream: readonly (Value | undefined)[],
): (Value | null | undefined)[] {
  const dy = upstream[0] as Value;
  return operator.gradient ? [...operator.gradient({ inputs, outputs, attributes, upstream, dy })] : [];
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
export function differentiate(loss: Value, wanted: readonly Value[]): Value[] {
  if (points(loss.shape) !== 1)
    throw new LarmorError('ERR_SHAPE', `differentiate: loss must be one number, got shape ${formatShape(loss.shape)}`);
  const { graph } = loss;
  const nodes = liveNodes(graph, [loss]);
  const varying = dependents(nodes, wanted);
  const gradients = new Map<Value, Value>([[loss, graph.constant(Float32Array.of(1), loss.shape)]]);

  for (const node of nodes.reverse()) {
    const upstream = node.outputs.map((output) => gradients.get(output));
    if (upstream.every((dy) => dy === undefined) || !node.inputs.some((input) => varying.has(input))) continue;
    const parts = gradientRule(node, upstream);
    node.inputs.forEach((input, i) => {
      if (!varying.has(input)) return;
      const part = parts[i];
      if (part === undefined)
        throw new LarmorError(
          'ERR_GRAPH',
          `differentiate: ${node.operator.name} has no gradient with respect to ${node.operator.inputs[i] ?? `input ${i}`}`,
        );
      if (part === null) return;
      const sum = gradients.get(input);
      gradients.set(input, sum ? add(sum, part) : part);
    });
  }

  return wanted.map((value) => {
    const gradient = gradients.get(value);
    if (!gradient) throw new LarmorError('ERR_GRAPH', `differentiate: the loss does not depend on "${value.name}"`);
    return gradient;
  });
}
