// Walks over a graph that more than one transformation needs.
import type { Graph, Node, Value } from './types.js';

/** The nodes that `results` depend on, in an order in which they can be computed. */
export function liveNodes(graph: Graph, results: Iterable<Value>): Node[] {
  const needed = new Set(results);
  const live = graph.nodes.toReversed().filter(({ inputs, outputs }) => {
    if (!outputs.some((output) => needed.has(output))) return false;
    for (const input of inputs) needed.add(input);
    return true;
  });
  return live.reverse();
}

/** Every value that depends on one of `sources`, these included. */
export function dependents(nodes: readonly Node[], sources: Iterable<Value>): Set<Value> {
  const reached = new Set(sources);
  for (const { inputs, outputs } of nodes)
    if (inputs.some((input) => reached.has(input))) for (const output of outputs) reached.add(output);
  return reached;
}
