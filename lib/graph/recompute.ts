// Computes the insides of stages again, so that nothing between a stage's inputs and its results is kept until the way back.
import { after } from './operations.js';
import type { Node, Value } from './types.js';

/** The value to read instead of one that the forward pass made. */
export type Recall = (value: Value) => Value;

/**
 * What the gradient of each node reads. `event` is a value of the way back that is there when the node is reached: the first time
 * within a stage its nodes are appended again.
 *
 * @param nodes In order.
 * @param results Values that are kept whatever reads them.
 */
export function recallStages(nodes: readonly Node[], results: Iterable<Value>): (node: Node, event: Value) => Recall {
  const stages = new Map(nodes.flatMap(({ outputs, stage }) => outputs.map((output) => [output, stage] as const)));
  const kept = new Set(results);
  for (const { inputs, stage } of nodes) for (const input of inputs) if (stages.get(input) !== stage) kept.add(input);
  const recalls = new Map<symbol, Recall>();
  return ({ stage }, event) => {
    if (stage === undefined) return (value) => value;
    const inside = nodes.filter((node) => node.stage === stage);
    const recall = recalls.get(stage) ?? recomputeStage(inside, kept, event);
    recalls.set(stage, recall);
    return recall;
  };
}

/**
 * Appends the nodes again. They start from copies of what the stage was given, made after `event`: otherwise both passes would be
 * computed together, or taken for one. Inputs and constants of the graph and values in `kept` stay what they are.
 */
function recomputeStage(nodes: readonly Node[], kept: ReadonlySet<Value>, event: Value): Recall {
  const { graph } = event;
  const inside = new Set(nodes.flatMap(({ outputs }) => outputs));
  const given = new Set([...graph.inputs, ...graph.constants.keys()]);
  const copies = new Map<Value, Value>();
  const copied = (value: Value): Value => {
    const copy = copies.get(value) ?? after(value, event);
    copies.set(value, copy);
    return copy;
  };
  const recall: Recall = (value) => {
    if (inside.has(value)) return copies.get(value) ?? value;
    return given.has(value) || value.type !== 'float32' ? value : copied(value);
  };
  for (const { operator, inputs, attributes, outputs } of nodes) {
    const again = graph.apply(operator.name, inputs.map(recall), attributes);
    outputs.forEach((output, i) => {
      if (!kept.has(output)) copies.set(output, again[i]);
    });
  }
  return recall;
}
