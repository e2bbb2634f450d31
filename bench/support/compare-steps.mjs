// Training steps of a U-Net here and in PyTorch, in turns, on the same weights and data. No time is printed unless loss and gradients agree.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { points } from '../../dist/arrays/complex-array.js';
import { writeSafetensors } from '../../dist/io/safetensors.js';
import { storedTensors } from '../../dist/networks/model.js';
import { ParameterStore } from '../../dist/networks/parameters.js';
import { createUnet } from '../../dist/networks/unet.js';
import { createTrainingSession } from '../../dist/training/session.js';
import { report } from './harness.mjs';
import { startPeer } from './peer.mjs';

// Relative l2 over all parameters. Rounding flips the sign of residuals and activations near zero, where the gradient jumps: on the
// 320x320 input PyTorch in float32 differs from PyTorch in double by 1.8e-3.
const MAX_GRADIENT_ERROR = 5e-3;

async function gradientError(session, names, path) {
  const bytes = await readFile(path);
  const theirs = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  let offset = 0;
  let [difference, norm] = [0, 0];
  for (const name of names)
    for (const ours of session.gradients.get(name)) {
      difference += (ours - theirs[offset]) ** 2;
      norm += theirs[offset++] ** 2;
    }
  return Math.sqrt(difference / norm);
}

/**
 * @param benchmark What is timed. @param name The case. @param config UNet configuration. @param loss larmor's loss. @param peerLoss The same in compare/training_step.py.
 * @param shapes TrainingShapes. @param data Arrays by input name.
 */
export async function compareSteps({ benchmark, name, config, loss, peerLoss, shapes, data, threads, rounds }) {
  const network = createUnet(config);
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
    const { inChannels, outChannels, channels, pools, affine, residual } = network.config;
    const unet = { inputs: inChannels, outputs: outChannels, channels, pools, affine, residual };
    peer.send(JSON.stringify({ file, gradients, threads, network: unet, loss: peerLoss }));
    const times = { larmor: [], PyTorch: [] };
    let agreement;
    for (let round = 0; round <= rounds; round++) {
      const start = performance.now();
      const before = process.cpuUsage();
      const { loss: ourLoss } = await session.step();
      const wall = performance.now() - start;
      const { user, system } = process.cpuUsage(before);
      const answer = await peer.ask('step');
      if (round > 0) {
        times.larmor.push([wall, (user + system) / 1e3]);
        times.PyTorch.push([1e3 * answer.seconds, 1e3 * answer.processorSeconds]);
        continue;
      }
      const error = await gradientError(session, answer.names, gradients);
      agreement = `losses ${ourLoss.toPrecision(7)} and ${answer.loss.toPrecision(7)}, gradients differ by ${error.toExponential(1)}`;
      if (!(error < MAX_GRADIENT_ERROR && Math.abs(ourLoss / answer.loss - 1) < 1e-4))
        throw new Error(`${benchmark}, ${name}: the two disagree: ${agreement}`);
    }
    report({ benchmark, name, times, threads, agreement });
  } finally {
    peer.close();
    await session.close();
    await rm(folder, { recursive: true });
  }
}
