// Every operator and its gradients on WebGPU, without falling back to the CPU, in runs that repeat an earlier one on other inputs, against the
// same graph in double precision.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { differentiate } from '#larmor/graph/differentiate.js';
import { graphToOnnx } from '#larmor/graph/onnx.js';
import type { Graph } from '#larmor/graph/types.js';
import { graphForDevice } from '#larmor/graph/webgpu.js';
import { WebgpuMemory } from '#larmor/graph/webgpu-memory.js';
import type { NamedTensors } from '#larmor/runtime/bound-tensors.js';
import { FlatLayout } from '#larmor/runtime/flat-layout.js';
import type { TensorStore } from '#larmor/runtime/memory.js';
import { tensor } from '#larmor/runtime/tensor.js';
import { buildCase, type Feeds, randomLoss, relativeError } from '../support/graph-checks.js';
import { evaluate } from '../support/interpreter.js';
import { operatorCases } from '../support/operator-cases.js';

let memory: WebgpuMemory;
beforeAll(async () => {
  memory = await WebgpuMemory.open();
});
afterAll(() => memory.close());

const boundOf = (store: TensorStore): NamedTensors =>
  Object.fromEntries(store.layout.specs.map(({ name }) => [name, store.bound(name)]));

/** The outputs after a run on half the values of `feeds`, then one on these. */
async function replayed(graph: Graph, feeds: Feeds): Promise<Record<string, Float32Array>> {
  const inputs = memory.store(new FlatLayout(graph.inputs));
  const outputs = memory.store(new FlatLayout([...graph.outputs].map(([name, { shape }]) => ({ name, shape }))));
  const lowered = graphForDevice(graph, 'webgpu', { replay: true });
  const session = await memory.load(graphToOnnx(lowered), { threads: 1, replay: true });
  const binding = session.bind(boundOf(inputs), boundOf(outputs));
  for (const scale of [0.5, 1]) {
    for (const [name, values] of Object.entries(feeds))
      inputs.set(
        values.map((value) => scale * value),
        name,
      );
    await memory.flush();
    await binding.run();
  }
  const results: Record<string, Float32Array> = {};
  for (const { name } of outputs.layout.specs) results[name] = await outputs.read(name);
  await session.close();
  for (const store of [inputs, outputs]) store.free();
  return results;
}

test.each(operatorCases)('$operator $what', async (operatorCase) => {
  const { graph, inputs, outputs, feeds } = buildCase(operatorCase);
  outputs.forEach((output, i) => {
    graph.output(`output${i}`, output);
  });
  const names = operatorCase.differentiable ?? Object.keys(inputs);
  const wanted = names.map((name) => inputs[name]);
  const gradients = names.length > 0 ? differentiate(randomLoss(graph, outputs), wanted) : [];
  gradients.forEach((gradient, i) => {
    graph.output(`gradient.${names[i]}`, gradient);
  });
  const got = await replayed(graph, feeds);
  const want = evaluate(graph, feeds, [...graph.outputs.values()]);
  // float32 carries 6e-8 per operation; the longest sums here have some thousand terms.
  [...graph.outputs.keys()].forEach((name, i) => {
    expect(relativeError(got[name], want[i].data), name).toBeLessThan(1e-5);
  });
});

test('a session that replays takes one binding, of tensors on its device', async () => {
  const [{ graph, outputs, feeds }] = [buildCase(operatorCases[0])];
  graph.output('y', outputs[0]);
  const model = graphToOnnx(graphForDevice(graph, 'webgpu', { replay: true }));
  const session = await memory.load(model, { threads: 1, replay: true });
  const inputs = memory.store(new FlatLayout(graph.inputs));
  const results = memory.store(new FlatLayout([{ name: 'y', shape: outputs[0].shape }]));
  const host = Object.fromEntries(graph.inputs.map(({ name, shape }) => [name, tensor('float32', shape, feeds[name])]));
  const refused = expect.objectContaining({ code: 'ERR_ARGUMENT' });
  expect(() => session.bind(host, boundOf(results))).toThrow(refused);
  session.bind(boundOf(inputs), boundOf(results));
  expect(() => session.bind(boundOf(inputs), boundOf(results))).toThrow(refused);
  await session.close();
});
