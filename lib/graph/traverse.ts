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

/**
 * The same nodes in another order in which they can be computed: filled from its end, always with the node that stands first in `nodes` among
 * those whose results nobody needs any more.
 *
 * ONNX Runtime computes a graph depth first: of the results that nobody uses it takes the last in the file first, and likewise the last of the
 * inputs of every node. In this order it comes upon the nodes about as they stand in `nodes`. In the order of `nodes` itself it would leave
 * the gradients of weights, which nothing waits for, to the end of the run, and hold all that they need until then.
 */
export function resultsLast(nodes: readonly Node[]): Node[] {
  const maker = new Map(nodes.flatMap((node, i) => node.outputs.map((output) => [output, i] as const)));
  const makers = nodes.map(({ inputs }) => new Set(inputs.flatMap((input) => maker.get(input) ?? [])));
  const users = nodes.map(() => 0);
  for (const needed of makers) for (const index of needed) users[index]++;
  // Of which nobody uses a result any more, in descending order.
  const free = [...users.keys()].reverse().filter((i) => users[i] === 0);
  const ordered: Node[] = [];
  for (let next = free.pop(); next !== undefined; next = free.pop()) {
    ordered.push(nodes[next]);
    for (const index of makers[next]) {
      users[index]--;
      if (users[index] === 0) free.splice(free.findLastIndex((i) => i > index) + 1, 0, index);
    }
  }
  return ordered.reverse();
}
