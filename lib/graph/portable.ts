// Replaces larmor's own operators by the standard ones that compute the same.
import { LarmorError } from '../errors.js';
import { GraphBuilder } from './builder.js';
import { liveNodes } from './traverse.js';
import type { Graph, Node, Value } from './types.js';

/** The same function with every node that `chosen` picks in its standard form. Throws `ERR_GRAPH` if one has no such form. */
export function expandNodes(graph: Graph, chosen: (node: Node) => boolean): Graph {
  const result = new GraphBuilder();
  const images = new Map<Value, Value>();
  const image = (value: Value): Value => images.get(value) as Value;
  for (const input of graph.inputs) images.set(input, result.input(input.name, input.shape, input.type));
  for (const [value, data] of graph.constants) images.set(value, result.constant(data, value.shape));
  for (const node of liveNodes(graph, graph.outputs.values())) {
    const { operator, attributes } = node;
    const inputs = node.inputs.map(image);
    const made = chosen(node) ? expand(node, inputs) : result.apply(operator.name, inputs, attributes);
    node.outputs.forEach((output, i) => {
      images.set(output, made[i]);
    });
  }
  for (const [name, value] of graph.outputs) result.output(name, image(value));
  return result;
}

function expand({ operator, attributes }: Node, inputs: readonly Value[]): readonly Value[] {
  if (!operator.portable)
    throw new LarmorError('ERR_GRAPH', `toPortable: ${operator.name} cannot be written in standard operators`);
  return operator.portable(inputs, attributes);
}

/**
 * The same function in standard operators only, for any ONNX tool; slower where a fused operator was replaced.
 *
 * @throws LarmorError `ERR_GRAPH` if an operator has no such form (the physics operators).
 */
export function toPortable(graph: Graph): Graph {
  return expandNodes(graph, ({ operator }) => operator.domain !== '');
}
