// Training steps of a network here and in PyTorch, in turns, on the same weights and data. No time is printed unless loss and gradients agree.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { points } from '../../dist/arrays/complex-array.js';
import { writeSafetensors } from '../../dist/io/safetensors.js';
import { storedTensors } from '../../dist/networks/model.js';
import { createNetwork } from '../../dist/networks/network.js';
import { ParameterStore } from '../../dist/networks/parameters.js';
import { createTrainingSession } from '../../dist/training/open-session.js';
import { inMegabytes, peakBytes } from './cases.mjs';
import { report } from './harness.mjs';
import { startPeer } from './peer.mjs';

// Relative l2 over all parameters. Rounding flips the sign of residuals and activations near zero, where the gradient jumps: on the
// 320x320 input PyTorch in float32 differs from PyTorch in double by 1.8e-3.
const MAX_GRADIENT_ERROR = { unet: 5e-3, varnet: 2e-2 };

async function gradientError(session, names, path) {
  const bytes = await readFile(path);
  const theirs = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const gradients = await session.gradients();
  let offset = 0;
  let [difference, norm] = [0, 0];
  for (const name of names)
    for (const ours of gradients.get(name)) {
      difference += (ours - theirs[offset]) ** 2;
      norm += theirs[offset++] ** 2;
    }
  return Math.sqrt(difference / norm);
}

/**
 * @param benchmark What is timed. @param name The case. @param kind `unet` or `varnet`, and its `config`. @param loss larmor's loss. @param peerLoss The same in compare/training_step.py.
 * @param shapes TrainingShapes. @param data Arrays by input name.
 */
export async function compareSteps({
  benchmark,
  name,
  kind = 'unet',
  config,
  loss,
  peerLoss,
  shapes,
  data,
  threads,
  rounds,
}) {
  const network = createNetwork(kind, config);
  const weights = ParameterStore.initialise(network.parameters, 1);
  const folder = await mkdtemp(join(tmpdir(), 'larmor-bench-'));
  const [file, gradients] = [join(folder, 'step.safetensors'), join(folder, 'gradients')];
  const session = await createTrainingSession({
    network,
    weights,
    loss,
    shapes,
    threads,
    optimiser: { learningRate: 1e-4 },
  });
  const tensors = storedTensors(weights, 'param.');
  for (const [name, { values, shape }] of Object.entries(data)) {
    if (points(shape) !== values.length) throw new Error(`${name}: ${values.length} values of shape [${shape}]`);
    tensors.set(name, { dtype: 'F32', shape, data: values });
  }
  await writeSafetensors(file, tensors, {});
  session.set(Object.fromEntries(Object.entries(data).map(([name, { values }]) => [name, values])));

  const peer = startPeer('training_step.py', [], threads);
  try {
    const request = { file, gradients, threads, kind, network: peerNetwork(network), loss: peerLoss };
    peer.send(JSON.stringify(request));
    const times = { larmor: [], PyTorch: [] };
    let agreement;
    let peaks;
    for (let round = 0; round <= rounds; round++) {
      const start = performance.now();
      const before = process.cpuUsage();
      const { loss: ourLoss } = await session.step();
      const wall = performance.now() - start;
      const { user, system } = process.cpuUsage(before);
      const peak = peakBytes();
      const answer = await peer.ask('step');
      if (round > 0) {
        times.larmor.push([wall, (user + system) / 1e3]);
        times.PyTorch.push([1e3 * answer.seconds, 1e3 * answer.processorSeconds]);
        peaks = [peak, answer.peak];
        continue;
      }
      const error = await gradientError(session, answer.names, gradients);
      agreement = `losses ${ourLoss.toPrecision(7)} and ${answer.loss.toPrecision(7)}, gradients differ by ${error.toExponential(1)}`;
      if (!(error < MAX_GRADIENT_ERROR[kind] && Math.abs(ourLoss / answer.loss - 1) < 1e-4))
        throw new Error(`${benchmark}, ${name}: the two disagree: ${agreement}`);
    }
    report({ benchmark, name, times, threads, agreement: `${agreement}; ${inMegabytes(...peaks)}` });
  } finally {
    peer.close();
    await session.close();
    await rm(folder, { recursive: true });
  }
}

/** How the peer wants its network described. */
function peerNetwork({ kind, config }) {
  if (kind === 'varnet') return config;
  const { inChannels, outChannels, channels, pools, affine, residual } = config;
  return { inputs: inChannels, outputs: outChannels, channels, pools, affine, residual };
}
