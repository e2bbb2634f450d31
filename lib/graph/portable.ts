// Replaces larmor's own operators by the standard ones that compute the same.
import { LarmorError } from '../errors.js';
import { GraphBuilder } from './builder.js';
import { liveNodes } from './traverse.js';
import type { Graph, Node, Value } from './types.js';

/**
 * The same function in standard operators only, for any ONNX tool; slower where a fused operator was replaced.
 *
 * @throws LarmorError `ERR_GRAPH` if an operator has no such form (the data losses).
 */
export function toPortable(graph: Graph): Graph {
  const result = new GraphBuilder();
  const images = new Map<Value, Value>();
  const image = (value: Value): Value => images.get(value) as Value;
  for (const input of graph.inputs) images.set(input, result.input(input.name, input.shape, input.type));
  for (const [value, data] of graph.constants) images.set(value, result.constant(data, value.shape));
  for (const node of liveNodes(graph, graph.outputs.values())) {
    const made = rewrite(result, node, node.inputs.map(image));
    node.outputs.forEach((output, i) => {
      images.set(output, made[i]);
    });
  }
  for (const [name, value] of graph.outputs) result.output(name, image(value));
  return result;
}

function rewrite(graph: GraphBuilder, { operator, attributes }: Node, inputs: readonly Value[]): readonly Value[] {
  if (operator.domain === '') return graph.apply(operator.name, inputs, attributes);
  if (!operator.portable)
    throw new LarmorError('ERR_GRAPH', `toPortable: ${operator.name} cannot be written in standard operators`);
  return operator.portable(inputs, attributes);
}
