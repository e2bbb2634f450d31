// Adapts networks to slices on a CUDA device and on the CPU, and prints both outcomes as JSON; where the device fails, what is left on it.
// Arguments: a file of serialised slices, `both` or `failing`, the kind of network, options of adaptation.
import { readFileSync } from 'node:fs';
import { deserialize } from 'node:v8';
import { adaptationSettings } from '#larmor/adaptation/options.js';
import { SliceAdapter } from '#larmor/adaptation/slice.js';
import { describeCudaDevice } from '#larmor/cuda/plugin.js';
import { createNetwork } from '#larmor/networks/network.js';
import { ParameterStore } from '#larmor/networks/parameters.js';
import { createPredictor } from '#larmor/networks/predictor.js';

const NETWORKS = {
  unet: { channels: 2, pools: 1, residual: true },
  unrolled: { cascades: 1, channels: 2, pools: 1, iterations: 2 },
};

function modelOf(kind) {
  const network = createNetwork(kind, NETWORKS[kind]);
  return { network, weights: ParameterStore.initialise(network.parameters, 1), input: 'sense', notes: {} };
}

const [path, part, kind, options = '{}'] = process.argv.slice(2);
const slices = deserialize(readFileSync(path));

/** Adapts to one slice and from there to the next. */
async function adapt(model, settings, device) {
  const adapter = new SliceAdapter(model, settings, { device, threads: 1 });
  const results = [];
  try {
    for (const slice of slices) {
      const { image, unadapted, outcome } = await adapter.adapt(slice);
      const weights = await adapter.weights();
      const { verdict, iterations, bestIteration, stop, curve } = outcome;
      const arrays = { image: [...image.data], unadapted: [...unadapted.data], weights: [...weights.data] };
      const heldOut = curve.map((point) => point.heldOut);
      results.push({ ...arrays, curve: heldOut, ends: { verdict, iterations, bestIteration, stop } });
    }
  } finally {
    await adapter[Symbol.asyncDispose]();
  }
  return results;
}

async function both() {
  const model = modelOf(kind);
  const steps = { maxIterations: 6, interval: 2, learningRate: 1e-2, warmUp: 0, keep: 'last' };
  const chosen = { ...steps, start: 'previous-slice', ...JSON.parse(options) };
  const settings = adaptationSettings(chosen, model.network);
  return { cpu: await adapt(model, settings, 'cpu'), cuda: await adapt(model, settings, 'cuda') };
}

/** What a call that fails says, and the bytes that are on the device then. */
async function failureOf(work) {
  const { code, message } = await work().then(
    () => ({ code: 'none' }),
    (error) => error,
  );
  const { memoryTotal, memoryFree } = await describeCudaDevice(0);
  return { code, message, left: memoryTotal - memoryFree };
}

async function predict() {
  const { network, weights } = modelOf('unet');
  const predictor = await createPredictor({ network, weights, height: 16, width: 16, threads: 1, device: 'cuda' });
  try {
    await predictor.predict({ image: new Float32Array(512) });
  } finally {
    await predictor.close();
  }
}

const failing = async () => ({
  adapt: await failureOf(() => adapt(modelOf('unet'), adaptationSettings({ maxIterations: 6 }), 'cuda')),
  predict: await failureOf(predict),
});

process.stdout.write(JSON.stringify(await { both, failing }[part]()));
