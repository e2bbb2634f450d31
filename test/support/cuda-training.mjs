// Trains networks in the memory of a CUDA device and beside it on the CPU, and prints as JSON how far they are apart.
import { MT19937 } from '#larmor/arrays/mt19937.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { CpuMemory } from '#larmor/runtime/cpu-memory.js';
import { CudaMemory } from '#larmor/runtime/cuda-memory.js';
import { Adam } from '#larmor/training/adam.js';
import { trainedParameters } from '#larmor/training/graph.js';
import { Learner } from '#larmor/training/learner.js';
import { LOSSES } from '#larmor/training/losses.js';
import { openTrainingSession } from '#larmor/training/open-session.js';

const SHAPES = { batch: 2, coils: 3, height: 16, width: 12 };
const NETWORKS = {
  unet: createNetwork('unet', { channels: 2, pools: 2, residual: true, affine: true }),
  unrolled: createNetwork('unrolled', { cascades: 1, channels: 2, pools: 2, iterations: 2 }),
};

function sampleData() {
  const random = new MT19937(2);
  const { batch, coils, height, width } = SHAPES;
  const floats = (count) => Float32Array.from({ length: count }, () => random.uniform(-1, 1));
  const planes = batch * 2 * height * width;
  const lines = (keep) => Float32Array.from({ length: batch * width }, (_, i) => (keep(i % width) ? 1 : 0));
  return {
    image: floats(planes),
    target: floats(planes),
    maps: floats(coils * planes),
    kspace: floats(coils * planes),
    mask: lines((x) => x % 3 !== 1),
    lossMask: lines((x) => x % 3 === 0),
    heldOutMask: lines((x) => x % 6 === 1),
  };
}

function misfit(got, want) {
  let [difference, energy] = [0, 0];
  for (let i = 0; i < want.length; i += 1) {
    difference += (got[i] - want[i]) ** 2;
    energy += want[i] ** 2;
  }
  return got.length === want.length ? Math.sqrt(difference / energy) : Number.NaN;
}

async function sessionIn(memory, network, trainable) {
  const weights = ParameterStore.initialise(network.parameters, 1);
  // With Adam's own epsilon a step is the sign of its gradient, and one that rounding makes of nothing moves a weight as far as any other.
  const adam = new Adam(memory, weights, trainedParameters(network, trainable), { learningRate: 1e-2, epsilon: 1 });
  const options = { network, loss: LOSSES.joint, shapes: SHAPES, trainable, threads: 1 };
  const session = await openTrainingSession(adam, options, true);
  const data = sampleData();
  session.set(Object.fromEntries(session.inputs.map((name) => [name, data[name]])));
  return session;
}

/** Three steps, what the network gives then, and what comes of going back to the second. */
async function trainIn(memory, network, trainable) {
  const session = await sessionIn(memory, network, trainable);
  const losses = [];
  for (let i = 0; i < 2; i += 1) losses.push((await session.step()).loss);
  const state = await session.snapshot();
  const { loss, heldOutLoss } = await session.step();
  losses.push(loss, heldOutLoss);
  const gradients = await session.gradients();
  const weights = await session.weights();
  const output = await session.predict();
  session.restore(state);
  losses.push((await session.step()).loss);
  const again = misfit((await session.weights()).data, weights.data);
  const learner = await Learner.create(session.adam, { accumulate: 2, clip: 0.01, average: 0.5 });
  for (const batch of [0, 1]) {
    await session.differentiate();
    await learner.collect(batch);
  }
  const length = await learner.update(1e-3);
  const judged = await learner.withJudged(() => session.predict());
  const average = await learner.judged.read();
  const code = await session.step({ learningRate: Number.NaN }).catch((error) => error.code);
  const use = memory.context && (await memory.context.memory());
  await session.close();
  return {
    losses,
    gradients: gradients.data,
    weights: weights.data,
    output,
    again,
    length,
    judged,
    average,
    code,
    use,
  };
}

const results = {};
for (const [name, network] of Object.entries(NETWORKS))
  for (const trainable of ['all', 'decoder']) {
    if (name === 'unrolled' && trainable === 'decoder') continue;
    const want = await trainIn(new CpuMemory(1), network, trainable);
    const got = await trainIn(await CudaMemory.open(0), network, trainable);
    const apart = Object.fromEntries(
      ['losses', 'gradients', 'weights', 'output', 'judged', 'average'].map((key) => [
        key,
        misfit(got[key], want[key]),
      ]),
    );
    const { again, code, use, length } = got;
    results[`${name} ${trainable}`] = { apart, again, code, use, norm: length / want.length };
  }
process.stdout.write(JSON.stringify(results));
