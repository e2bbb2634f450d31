// Runs a graph in ONNX Runtime.
import { graphToOnnx } from '#larmor/graph/onnx.js';
import type { Graph } from '#larmor/graph/types.js';
import { createSession, type SessionOptions } from '#larmor/runtime/session.js';
import { tensor } from '#larmor/runtime/tensor.js';

/** The graph's outputs by name, given its inputs by name. */
export async function runGraph(
  graph: Graph,
  feeds: Readonly<Record<string, Float32Array>>,
  options: SessionOptions = {},
): Promise<Readonly<Record<string, Float32Array>>> {
  using session = await createSession(graphToOnnx(graph), { threads: 1, ...options });
  const inputs = graph.inputs.map(({ name, shape }) => [name, tensor('float32', shape, feeds[name])] as const);
  const outputs = [...graph.outputs].map(([name, { shape }]) => [name, tensor('float32', shape)] as const);
  await session.bind(Object.fromEntries(inputs), Object.fromEntries(outputs)).run();
  return Object.fromEntries(outputs.map(([name, { data }]) => [name, data]));
}
