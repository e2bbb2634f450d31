// Adaptation of the shipped models on a device against the processor: node gpu/adaptation.mjs cuda|webgpu

import { undersampledSlice } from '../bench/support/bart.mjs';
import { adaptationSettings } from '../dist/adaptation/options.js';
import { espirit, LarmorError, loadModel, SliceAdapter } from '../dist/index.js';
import { resolveDevice } from '../dist/runtime/devices.js';
import { bench, check, quick, skip } from './lines.mjs';

const [device = 'cuda'] = process.argv.slice(2);
const [coils, ny, nx] = quick ? [4, 64, 48] : [8, 320, 224];
const ITERATIONS = quick ? 2 : 6;
const MODELS = ['unet-small', 'unrolled-small'];
// One pass of the network; and an adapted one, where Adam divides by the size of gradients and rounding decides over those next to nothing.
const [UNADAPTED, ADAPTED] = [1e-4, 2e-3];

async function compare(name, slice) {
  const model = await loadModel(name);
  const chosen = { maxIterations: ITERATIONS, interval: 2, learningRate: 1e-4 };
  const settings = adaptationSettings(chosen, model.network);
  const adapt = async (where) => {
    const adapter = new SliceAdapter(model, settings, { device: where });
    try {
      const start = performance.now();
      const result = await adapter.adapt(slice);
      return { ...result, ms: (performance.now() - start) / result.outcome.iterations };
    } finally {
      await adapter[Symbol.asyncDispose]();
    }
  };
  const [want, got] = [await adapt('cpu'), await adapt(device)];
  const size = `${name}, ${coils}x${ny}x${nx}`;
  check(`network on ${device}`, size, got.unadapted.data, want.unadapted.data, UNADAPTED);
  check(`adaptation on ${device}`, `${size}, ${ITERATIONS} iterations`, got.image.data, want.image.data, ADAPTED);
  bench(`adaptation on ${device}, start and all per iteration`, size, [got.ms], { cpu_ms: want.ms });
}

try {
  await resolveDevice(device, { who: 'gpu/check', task: 'networks' });
  const { kspace, mask } = await undersampledSlice(coils, ny, nx);
  const { maps } = await espirit(kspace, { mask });
  for (const name of MODELS) await compare(name, { kspace, maps, mask, seed: [1, 0] });
} catch (error) {
  if (!(error instanceof LarmorError && error.code === 'ERR_DEVICE')) throw error;
  skip(error.message);
}
