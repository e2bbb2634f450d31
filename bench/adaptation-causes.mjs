// Why adaptation can harm: a network adapts to slices of T2-FLAIR as they are, and with one cause of error after another taken away or put in.
//
//   node bench/adaptation-causes.mjs --data FOLDER [--model MODEL] [--slices N]
//
// One thread. Scores are means over the slices of SSIM and PSNR, of the network's own image and after data consistency, with the weights
// after so many iterations whatever the held-out samples say. The reference is combined by maps from 24 lines of the full data.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { adaptationSettings } from '../dist/adaptation/options.js';
import { SliceAdapter } from '../dist/adaptation/slice.js';
import { componentAt } from '../dist/arrays/slices.js';
import { espirit } from '../dist/calibration/espirit.js';
import { dataConsistency, loadModel } from '../dist/index.js';
import { prepareCase } from '../dist/studies/case.js';
import { simulatedHead } from './support/simulated-head.mjs';

const STOPS = [0, 40, 150];
const EVERY = 10; // of which all stops are multiples
const FIRST_SLICE = 9;
const run = { threads: 1 };
const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    model: { type: 'string', default: 'unet-small' },
    slices: { type: 'string', default: '4' },
  },
});
const model = await loadModel(values.model);
const path = join(values.data, 'mag_brain_t2flair_axial.nii.gz');
const scanOf = (snr) =>
  simulatedHead(path, { slices: [FIRST_SLICE, FIRST_SLICE + Number(values.slices)], snr, phase: 0.2, seed: 13 }, run);

/** The usual scan: noise, ten centre lines, maps of these by a threshold that keeps the weak singular vectors. */
const USUAL = { snr: 113, centerFraction: 0.08, threshold: 0.0004 };
const CAUSES = {
  'as it is': {},
  'maps by threshold 0.001': { threshold: 0.001 },
  'maps by threshold 0.02': { threshold: 0.02 },
  'threshold 0.02, no noise': { threshold: 0.02, snr: null },
  'threshold 0.02, 20 centre lines': { threshold: 0.02, centerFraction: 0.16 },
  'maps of the full data': { fullMaps: true },
};

/** Scores of both images at every stop, for one slice. */
async function measure(full, seed, { centerFraction, threshold, fullMaps }) {
  const calibration = { threshold };
  const undersampling = { type: 'random', acceleration: 4, centerFraction };
  const how = { calibration: { threshold: USUAL.threshold }, undersampling, reference: 'sense' };
  const slice = await prepareCase(full, seed, how, run);
  const { maps: estimated } = await espirit(fullMaps ? full : slice.kspace, {
    ...(fullMaps ? { threshold: USUAL.threshold } : { ...calibration, mask: slice.mask }),
    ...run,
  });
  const maps = componentAt(estimated, 0);
  const settings = adaptationSettings({
    maxIterations: STOPS.at(-1),
    stop: { rule: 'patience', patience: STOPS.at(-1) },
    notNeeded: { after: 0 },
    keep: 'last',
  });
  const scores = new Map();
  const note = async (iteration, image) => {
    if (!STOPS.includes(iteration)) return;
    const { x } = await dataConsistency(image, slice.kspace, { maps, mask: slice.mask }, run);
    scores.set(iteration, [slice.score(image), slice.score(x)]);
  };
  const adapter = new SliceAdapter(model, settings, run);
  const measured = { kspace: slice.kspace, mask: slice.mask, maps, seed };
  const { unadapted } = await adapter.adapt(measured, { watch: { every: EVERY, show: note } });
  await adapter[Symbol.asyncDispose]();
  await note(0, unadapted);
  return scores;
}

console.log(
  `| ${['scan', ...STOPS.map((stop) => `${stop}: network, consistent`), 'least gain, consistent'].join(' | ')} |`,
);
console.log(`|${' --- |'.repeat(STOPS.length + 2)}`);
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
for (const [name, changes] of Object.entries(CAUSES)) {
  const settings = { ...USUAL, ...changes };
  const rows = [];
  for (const [i, full] of (await scanOf(settings.snr)).entries()) rows.push(await measure(full, [100, i], settings));
  const told = (stop) =>
    [0, 1].map((which) => {
      const scores = rows.map((row) => row.get(stop)[which]);
      return `${mean(scores.map(({ ssim }) => ssim)).toFixed(3)} / ${mean(scores.map(({ psnr }) => psnr)).toFixed(1)}`;
    });
  const gains = (kind) => rows.map((row) => row.get(STOPS.at(-1))[1][kind] - row.get(0)[1][kind]);
  const least = `${Math.min(...gains('ssim')).toFixed(3)}, ${Math.min(...gains('psnr')).toFixed(1)} dB`;
  console.log(`| ${[name, ...STOPS.map((stop) => told(stop).join(', ')), least].join(' | ')} |`);
}
