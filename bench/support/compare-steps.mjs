// Training steps of a U-Net here and in PyTorch, in turns, on the same weights and data. No time is printed unless loss and gradients agree.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { points } from '../../dist/arrays/complex-array.js';
import { writeSafetensors } from '../../dist/io/safetensors.js';
import { storedTensors } from '../../dist/networks/model.js';
import { parameterCount } from '../../dist/networks/network.js';
import { ParameterStore } from '../../dist/networks/parameters.js';
import { createUnet } from '../../dist/networks/unet.js';
import { createTrainingSession } from '../../dist/training/session.js';
import { startPeer } from './peer.mjs';
import { best, median } from './statistics.mjs';

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
 * @param config UNet configuration. @param loss larmor's loss. @param peerLoss The same in compare/training_step.py.
 * @param shapes TrainingShapes. @param data Arrays by input name.
 */
export async function compareSteps({ title, config, loss, peerLoss, shapes, data, threads, rounds }) {
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
    const wall = { ours: [], theirs: [] };
    const processor = { ours: [], theirs: [] };
    for (let round = 0; round <= rounds; round++) {
      const start = process.hrtime.bigint();
      const before = process.cpuUsage();
      const { loss: ourLoss } = await session.step();
      const seconds = Number(process.hrtime.bigint() - start) / 1e9;
      const { user, system } = process.cpuUsage(before);
      const answer = await peer.ask('step');
      if (round > 0) {
        wall.ours.push(seconds);
        wall.theirs.push(answer.seconds);
        processor.ours.push((user + system) / 1e6);
        processor.theirs.push(answer.processorSeconds);
        continue;
      }
      const error = await gradientError(session, answer.names, gradients);
      console.log(`${title}, ${parameterCount(network)} parameters, ${threads} thread(s)`);
      console.log(
        `  loss ${ourLoss.toPrecision(7)} / ${answer.loss.toPrecision(7)}, gradients differ by ${error.toExponential(1)}`,
      );
      if (!(error < MAX_GRADIENT_ERROR && Math.abs(ourLoss / answer.loss - 1) < 1e-4))
        throw new Error('the two disagree');
    }
    const show = (name, { ours, theirs }, of) => {
      const [a, b] = [of(ours), of(theirs)];
      console.log(`  ${name}: larmor ${a.toFixed(3)} s, PyTorch ${b.toFixed(3)} s, ratio ${(a / b).toFixed(2)}`);
    };
    show('best', wall, best);
    show('median', wall, median);
    show('processor time, median', processor, median);
    console.log(`  ${rounds} rounds in turns, load ${loadavg()[0].toFixed(1)}`);
  } finally {
    peer.close();
    await session.close();
    await rm(folder, { recursive: true });
  }
}
