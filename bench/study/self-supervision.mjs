// SSDU beside supervised training on the same simulated slices, and zero-shot learning on a real one beside CG-SENSE.
//
//   node bench/study/self-supervision.mjs [--data FOLDER] [--only training|zero-shot] [--steps N] [--train-size 64] [--masks 1,2] [--size 128]
//
// Training: the same network, slices, masks and steps; supervised by all samples of the full k-space (l1-l2), or self-supervised by the
// samples that the network does not see (a new split at every step). Test slices are scored inside the coil maps, the network
// seeing all measured samples. Zero-shot: the central size x size samples of brain_pd_8ch.h5 in FOLDER, 4x random, for every mask seed;
// CG-SENSE with the best of five weights by the truth itself. SSIM is fastMRI's, with the range of the slice.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { adaptationSettings } from '../../dist/adaptation/options.js';
import { SliceAdapter } from '../../dist/adaptation/slice.js';
import { untrainedModel } from '../../dist/adaptation/zero-shot.js';
import { cgSense, createNetwork, openScan } from '../../dist/index.js';
import { prepareCase } from '../../dist/studies/case.js';
import { parseTrainingConfig, prepareDataset, trainingPlan } from '../../dist/training/config.js';
import { train } from '../../dist/training/trainer.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    only: { type: 'string' },
    steps: { type: 'string', default: '600' },
    masks: { type: 'string', default: '1,2' },
    size: { type: 'string', default: '128' },
    'train-size': { type: 'string', default: '64' },
    threads: { type: 'string', default: '1' },
  },
});
const threads = Number(values.threads);

const slices = { source: 'phantom', families: ['head', 'abdomen'], size: Number(values['train-size']), coils: 6 };
const base = {
  network: { kind: 'unrolled', cascades: 3, channels: 8, pools: 2, iterations: 12 },
  training: { ...slices, subjects: 32, seed: 1 },
  validation: { ...slices, subjects: 12, seed: 2 },
  calibration: { threshold: 0.0004 },
  undersampling: { centerFraction: 0.12 },
  optimiser: { learningRate: 2e-3 },
  steps: Number(values.steps),
  validateEvery: Number(values.steps),
};

/** Figures on the test slices after training. */
async function trained(change) {
  const config = parseTrainingConfig({ ...base, ...change });
  const { kind, ...settings } = config.network;
  const network = createNetwork(kind, settings);
  const training = await prepareDataset(config, config.training, { threads });
  const validation = await prepareDataset(config, config.validation, { threads });
  const started = performance.now();
  const { validations } = await train({ network, plan: trainingPlan(config), training, validation, threads });
  return { ...validations.at(-1), seconds: (performance.now() - started) / 1000 };
}

if (values.only !== 'zero-shot') await training();
if (values.data !== undefined && values.only !== 'training')
  await zeroShot(join(values.data, 'brain_pd_8ch.h5'), Number(values.size));

/** Supervised and self-supervised training beside each other. */
async function training() {
  console.log('| training | PSNR | SSIM | time |\n| --- | --- | --- | --- |');
  const show = (name, { psnr, ssim, seconds }) =>
    console.log(`| ${name} | ${psnr.toFixed(2)} dB | ${ssim.toFixed(4)} | ${seconds.toFixed(0)} s |`);
  show(
    'none: CG-SENSE of the network',
    await trained({ steps: 1, validateEvery: 1, optimiser: { learningRate: 1e-9 } }),
  );
  const supervised = await trained({ loss: 'supervised-kspace' });
  show('supervised', supervised);
  for (const kind of ['ssdu-uniform', 'ssdu-gaussian']) {
    const self = await trained({ loss: 'ssdu', split: { kind } });
    show(`${kind}: ${(self.psnr - supervised.psnr).toFixed(2)} dB to supervised`, self);
  }
  console.log();
}

/** Zero-shot learning on the first slice of a scan, cut down in k-space. */
async function zeroShot(path, size) {
  const scan = await openScan(path);
  const full = centre(await scan.readKspace(0), size);
  await scan.close();
  const model = untrainedModel(1);
  console.log('| mask | CG-SENSE | before | zero-shot | best epoch | time |\n| --- | --- | --- | --- | --- | --- |');
  for (const seed of values.masks.split(',').map(Number)) {
    const undersampling = { type: 'random', acceleration: 4, centerFraction: 0.08 };
    const scored = await prepareCase(full, seed, { ...base, undersampling, reference: 'sense' }, { threads });
    const { kspace, maps, mask } = scored;
    const text = ({ ssim, psnr }) => `${ssim.toFixed(3)} / ${psnr.toFixed(1)} dB`;
    const rivals = [];
    for (const lambda of [0.0003, 0.001, 0.003, 0.01, 0.03])
      rivals.push(scored.score((await cgSense(kspace, { maps, mask }, { lambda, threads })).x));
    const best = rivals.reduce((a, b) => (b.psnr > a.psnr ? b : a));
    const adapter = new SliceAdapter(model, adaptationSettings({ preset: 'zero-shot' }, model.network), { threads });
    const { image, unadapted, outcome } = await adapter.adapt({ kspace, maps, mask, seed: [seed, 0] });
    await adapter[Symbol.asyncDispose]();
    const [before, after] = [unadapted, image].map((each) => text(scored.score(each)));
    const epochs = outcome.bestIteration / 25;
    console.log(`| ${seed} | ${text(best)} | ${before} | ${after} | ${epochs} | ${outcome.seconds.toFixed(0)} s |`);
  }
}

/** The central size x size samples of every coil. */
function centre({ data, shape: [coils, ny, nx] }, size) {
  const [top, left] = [(ny - size) >> 1, (nx - size) >> 1];
  const result = new Float32Array(2 * coils * size * size);
  for (let coil = 0; coil < coils; coil += 1)
    for (let y = 0; y < size; y += 1) {
      const from = 2 * ((coil * ny + top + y) * nx + left);
      result.set(data.subarray(from, from + 2 * size), 2 * (coil * size + y) * size);
    }
  return { data: result, shape: [coils, size, size] };
}
