// A program: lets WebGPU compute a small graph and says whether its numbers are right. A driver may crash, or return zeros.
import { MT19937 } from '../arrays/mt19937.js';
import { CpuMemory } from '../runtime/cpu-memory.js';
import { FlatLayout } from '../runtime/flat-layout.js';
import type { Memory } from '../runtime/memory.js';
import type { SelfTestReport } from '../runtime/webgpu.js';
import { GraphBuilder } from './builder.js';
import { differentiate } from './differentiate.js';
import { graphToOnnx } from './onnx.js';
import { conv3x3, instanceNormLeakyRelu } from './operations.js';
import { dataLoss } from './physics-operations.js';
import type { Graph } from './types.js';
import { graphForDevice } from './webgpu.js';
import { WebgpuMemory } from './webgpu-memory.js';

const [COILS, HEIGHT, WIDTH] = [3, 12, 10];
/** Of other inputs each: the first is recorded, the others repeat it. */
const RUNS = 3;
/** Rounding of single precision through some dozen operations, with room for a device's own order of sums. */
const TOLERANCE = 1e-3;

/** A convolution, a normalisation and the misfit of the image to k-space, with gradients. */
function testGraph(): Graph {
  const graph = new GraphBuilder();
  const image = graph.input('image', [1, 2, HEIGHT, WIDTH]);
  const weights = graph.input('weights', [2, 2, 3, 3]);
  const kspace = graph.input('kspace', [1, COILS, HEIGHT, WIDTH, 2]);
  const maps = graph.input('maps', kspace.shape);
  const columns = (sampled: (x: number) => boolean): Float32Array =>
    Float32Array.from({ length: WIDTH }, (_, x) => +sampled(x));
  const mask = graph.constant(
    columns((x) => x % 3 !== 1),
    [1, 1, WIDTH],
  );
  const heldOutMask = graph.constant(
    columns((x) => x % 3 === 1),
    [1, 1, WIDTH],
  );
  const [made] = instanceNormLeakyRelu(conv3x3(image, weights), { slope: 0.2 });
  const { loss, heldOutLoss } = dataLoss(made, { maps, mask, heldOutMask, kspace });
  graph.output('loss', loss);
  graph.output('heldOutLoss', heldOutLoss);
  graph.output('made', made);
  graph.output('gradient', differentiate(loss, [weights])[0]);
  return graph;
}

/** The outputs, after they went through the memory of the device. */
async function computeIn(memory: Memory, graph: Graph): Promise<Float32Array> {
  const random = new MT19937(7);
  const inputs = memory.store(new FlatLayout(graph.inputs));
  const fill = (): void => {
    for (const { name, shape } of graph.inputs) {
      const length = shape.reduce((product, n) => product * n, 1);
      inputs.set(
        Float32Array.from({ length }, () => random.normal()),
        name,
      );
    }
  };
  const names = [...graph.outputs.keys()];
  const outputs = memory.store(new FlatLayout([...graph.outputs].map(([name, { shape }]) => ({ name, shape }))));
  const lowered = graphForDevice(graph, memory.device, { replay: true });
  const session = await memory.load(graphToOnnx(lowered), { threads: 1, replay: true });
  await memory.flush();
  const bound = graph.inputs.map(({ name }) => [name, inputs.bound(name)] as const);
  const results = names.map((name) => [name, outputs.bound(name)] as const);
  const binding = session.bind(Object.fromEntries(bound), Object.fromEntries(results));
  for (let run = 0; run < RUNS; run++) {
    fill();
    await memory.flush();
    await binding.run();
  }
  await memory.blend(0.5, outputs, 0.25, outputs);
  const values = await outputs.read();
  await session.close();
  await memory.close();
  return values;
}

async function judge(): Promise<SelfTestReport> {
  const graph = testGraph();
  const want = await computeIn(new CpuMemory(1), graph);
  const got = await computeIn(await WebgpuMemory.open(), graph);
  const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const wrong = want.findIndex((value, i) => !(Math.abs(got[i] - value) <= TOLERANCE * largest));
  return wrong < 0 ? {} : { reason: `its self-test gave wrong numbers: ${got[wrong]} where ${want[wrong]} is right` };
}

judge()
  .catch((error: Error) => ({ reason: /Failed to .*/.exec(error.message)?.[0] ?? error.message }))
  .then((report) => console.log(JSON.stringify(report)));
