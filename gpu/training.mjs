// Training steps and iterations of test-time training on a device: node gpu/training.mjs cuda|webgpu FOLDER
//
// Weights, data and first loss go to FOLDER, where peers.py finds them; the first loss is checked against the processor's.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { noise } from '../bench/support/noise.mjs';
import { liveNodes } from '../dist/graph/traverse.js';
import { graphForDevice } from '../dist/graph/webgpu.js';
import { createNetwork, LarmorError, ParameterStore, writeSafetensors } from '../dist/index.js';
import { storedTensors } from '../dist/networks/model.js';
import { resolveDevice } from '../dist/runtime/devices.js';
import { buildTrainingGraphs } from '../dist/training/graph.js';
import { LOSSES } from '../dist/training/losses.js';
import { createTrainingSession } from '../dist/training/open-session.js';
import { bench, check, quick, skip, timed } from './lines.mjs';

const [device = 'cuda', folder] = process.argv.slice(2);
const ROUNDS = quick ? 3 : 20;

/** Cases of performance.md: a supervised step at 320x320, and an iteration of test-time training at the size of a knee slice. */
const CASES = [32, 64].flatMap((channels) => [
  { name: 'training step', loss: 'supervised', channels, shapes: { batch: 1, height: 320, width: 320 } },
  { name: 'TTT iteration', loss: 'self', channels, shapes: { batch: 1, coils: 15, height: 640, width: 368 } },
]);

function dataOf({ loss, shapes: { coils, height, width } }) {
  const planes = { shape: [1, 2, height, width] };
  const image = { ...planes, values: noise(2 * height * width, 1) };
  if (loss === 'supervised') return { image, target: { ...planes, values: noise(2 * height * width, 2) } };
  const stack = { shape: [1, coils, height, width, 2] };
  const samples = 2 * coils * height * width;
  const scale = Math.sqrt(6 / coils);
  const lines = (kept) => ({ shape: [1, 1, width], values: Float32Array.from({ length: width }, (_, x) => +kept(x)) });
  return {
    image,
    maps: { ...stack, values: noise(samples, 2).map((value) => value * scale) },
    kspace: { ...stack, values: noise(samples, 3) },
    lossMask: lines((x) => x % 4 === 0 || Math.abs(x - width / 2) < 4),
    heldOutMask: lines(() => false),
  };
}

/** What `use` makes of a session on a device, which is closed afterwards. */
async function withSession(request, network, weights, where, use) {
  const session = await createTrainingSession({
    network,
    weights,
    loss: LOSSES[request.loss],
    shapes: request.shapes,
    device: where,
    optimiser: { learningRate: 1e-4 },
  });
  const data = dataOf(request);
  session.set(Object.fromEntries(session.inputs.map((name) => [name, data[name].values])));
  try {
    return await use(session);
  } finally {
    await session.close();
  }
}

/** How many operators of a step's graph compute or move something, Adam's apart: on WebGPU each is about one kernel. */
function operatorsOf(options) {
  const graph = graphForDevice(buildTrainingGraphs(options).step, device);
  const live = liveNodes(graph, graph.outputs.values());
  return live.filter(({ operator }) => !['Reshape', 'After'].includes(operator.name)).length;
}

async function measure(request) {
  const { channels, shapes, name } = request;
  const network = createNetwork('unet', { channels, pools: 4 });
  const weights = ParameterStore.initialise(network.parameters, 1);
  const what = `U-Net ${channels} channels, ${shapes.coils ? `${shapes.coils}x` : ''}${shapes.height}x${shapes.width}`;
  const first = await withSession(request, network, weights, device, async (session) => {
    const { loss } = await session.step();
    await session.step();
    const steps = await timed(ROUNDS, () => session.step());
    const gradients = await timed(ROUNDS, () => session.differentiate());
    const operators = operatorsOf({ network, loss: LOSSES[request.loss], shapes });
    bench(`${name} on ${device}`, what, steps, { without_adam_ms: gradients[gradients.length >> 1], operators });
    return loss;
  });
  const want = await withSession(request, network, weights, 'cpu', async (session) => (await session.step()).loss);
  check(`${name} on ${device}, loss`, what, [first], [want], 1e-4);
  if (!folder) return;
  const file = `${name.replace(' ', '-')}-${channels}`;
  const tensors = storedTensors(weights, 'param.');
  for (const [input, { values, shape }] of Object.entries(dataOf(request)))
    tensors.set(input, { dtype: 'F32', shape, data: values });
  await writeSafetensors(join(folder, `${file}.safetensors`), tensors, {});
  const { inChannels, outChannels, pools, affine, residual } = network.config;
  const config = { inputs: inChannels, outputs: outChannels, channels, pools, affine, residual };
  const peerLoss = request.loss === 'self' ? 'data' : 'supervised';
  await writeFile(
    join(folder, `${file}.json`),
    JSON.stringify({ name, case: what, config, loss: peerLoss, value: first }),
  );
}

try {
  await resolveDevice(device, { who: 'gpu/check', task: 'networks' });
  for (const request of quick ? CASES.slice(0, 1) : CASES) await measure(request);
} catch (error) {
  if (!(error instanceof LarmorError && error.code === 'ERR_DEVICE')) throw error;
  skip(error.message);
}
