// Rewrites a graph without larmor's own operators, so that any ONNX tool can run it.
import { LarmorError } from '../errors.js';
import { GraphBuilder } from './builder.js';
import { liveNodes } from './traverse.js';
import type { Graph, Value } from './types.js';

/**
 * The same function in standard operators only; slower where a fused operator was replaced.
 *
 * @throws LarmorError `ERR_GRAPH` if an operator has no such form (the physics operators).
 */
export function toPortable(graph: Graph): Graph {
  const result = new GraphBuilder();
  const images = new Map<Value, Value>();
  const image = (value: Value): Value => images.get(value) as Value;
  for (const input of graph.inputs) images.set(input, result.input(input.name, input.shape, input.type));
  for (const [value, data] of graph.constants) images.set(value, result.constant(data, value.shape));
  for (const { operator, inputs, attributes, outputs } of liveNodes(graph, graph.outputs.values())) {
    if (operator.domain !== '' && !operator.portable)
      throw new LarmorError('ERR_GRAPH', `toPortable: ${operator.name} cannot be written in standard operators`);
    const mapped = inputs.map(image);
    const made = operator.portable?.(mapped, attributes) ?? result.apply(operator.name, mapped, attributes);
    outputs.forEach((output, i) => {
      images.set(output, made[i]);
    });
  }
  for (const [name, value] of graph.outputs) result.output(name, image(value));
  return result;
}
