// Replaces operators by others that compute the same: larmor's own by standard ones, and standard ones by those that a device has.
import { LarmorError } from '../errors.js';
import { GraphBuilder } from './builder.js';
import { liveNodes } from './traverse.js';
import type { Attributes, Graph, Node, Value } from './types.js';

/** Appends to a graph what computes the outputs of a node from these inputs. */
type Rewrite = (graph: Graph, node: Node, inputs: readonly Value[]) => readonly Value[];

/**
 * The graph with what `rewrite` makes of every node that its outputs need; inputs and constants keep their names and data.
 *
 * @param finish What an output, in both graphs, becomes.
 */
export function rewriteGraph(
  graph: Graph,
  rewrite: Rewrite,
  finish: (made: Value, original: Value) => Value = (made) => made,
): Graph {
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
  for (const [name, value] of graph.outputs) result.output(name, finish(image(value), value));
  return result;
}

/** What larmor's own operators become, by their names; undefined where an operator's own form will do. */
export type PortableForms = Readonly<
  Record<string, (inputs: readonly Value[], attributes: Attributes) => readonly Value[] | undefined>
>;

/**
 * The same function in standard operators only, for any ONNX tool; slower where a fused operator was replaced.
 *
 * @param forms In place of the operators' own.
 * @throws LarmorError `ERR_GRAPH` if an operator has no such form.
 */
export function toPortable(graph: Graph, forms: PortableForms = {}): Graph {
  return rewriteGraph(graph, (result, { operator, attributes }, inputs) => {
    if (operator.domain === '') return result.apply(operator.name, inputs, attributes);
    const outputs = forms[operator.name]?.(inputs, attributes) ?? operator.portable?.(inputs, attributes);
    if (!outputs)
      throw new LarmorError('ERR_GRAPH', `toPortable: ${operator.name} cannot be written in standard operators`);
    return outputs;
  });
}
