// The order in which ONNX Runtime computes a graph as it is written.
import type { Node, Value } from '#larmor/graph/types.js';

/** Depth first from the nodes whose results nobody uses, of these and of inputs the last in the file first. */
export function executionOrder(nodes: readonly Node[]): Node[] {
  const place = new Map(nodes.map((node, i) => [node, i] as const));
  const maker = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const done = new Set<Node>();
  const lastFirst = (some: readonly Node[]): Node[] =>
    some.toSorted((a, b) => (place.get(b) as number) - (place.get(a) as number));
  const visit = (node: Node): void => {
    if (done.has(node)) return;
    for (const before of lastFirst(node.inputs.flatMap((input: Value) => maker.get(input) ?? []))) visit(before);
    done.add(node);
  };
  for (const node of lastFirst(nodes.filter(({ outputs }) => !outputs.some((output) => used.has(output))))) visit(node);
  return [...done];
}
