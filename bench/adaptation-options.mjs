// What each option of adaptation buys: adapts a model to the same slices by several recipes, with one thread.
//
//   node bench/adaptation-options.mjs CONFIG.json --model MODEL --data FOLDER [--only RECIPE,...] [--slices N]
//
// A recipe holds options of adaptation. Scores are fastMRI's, of the network's own image inside the support of the maps. Time is that of
// the processor, which other work on the machine changes little; joint steps, and the first slice where the
// others start from it, are shared out among the slices. "To equal" is the time until
// the mean SSIM comes within 0.002 of what the first recipe reaches in the end.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { adaptationSettings } from '../dist/adaptation/options.js';
import { SliceAdapter } from '../dist/adaptation/slice.js';
import { adaptJointly } from '../dist/adaptation/volume.js';
import { loadModel } from '../dist/index.js';
import { prepareCase } from '../dist/studies/case.js';
import { simulatedHead } from './support/simulated-head.mjs';

const CLOSE = 0.002;
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string' },
    data: { type: 'string' },
    only: { type: 'string' },
    slices: { type: 'string' },
  },
});
const config = JSON.parse(await readFile(positionals[0], 'utf8'));
const run = { threads: 1 };
const model = await loadModel(values.model);

const { path, mask } = config.scan;
const [first, end] = config.scan.slices;
const slices = [first, values.slices ? first + Number(values.slices) : end];
const scans = await simulatedHead(join(values.data, path), { ...config.scan, slices }, run);
const cases = [];
for (const [i, kspace] of scans.entries())
  cases.push({
    ...(await prepareCase(kspace, mask, { ...config, reference: 'sense' }, run)),
    seed: [config.scan.seed, i],
  });

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const processorSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function measure(options) {
  const settings = adaptationSettings(options, model.network);
  const started = processorSeconds();
  const joint =
    settings.volumeIterations > 0
      ? await adaptJointly(model, settings, cases.length, async (i) => cases[i], run)
      : undefined;
  const jointSeconds = processorSeconds() - started;
  const rows = [];
  const adapter = new SliceAdapter(model, settings, { ...run, joint });
  for (const slice of cases) {
    const curve = [];
    const show = (iteration, image) => curve.push({ iteration, ...slice.score(image) });
    const before = processorSeconds();
    const { image, unadapted, outcome } = await adapter.adapt(slice, { watch: { every: config.every, show } });
    const seconds = processorSeconds() - before;
    curve.unshift({ iteration: 0, ...slice.score(unadapted) });
    rows.push({ first: slice.score(unadapted), last: slice.score(image), outcome, curve, seconds });
  }
  await adapter[Symbol.asyncDispose]();
  const leader = settings.start === 'previous-slice' ? rows[0].seconds : 0;
  return { rows, shared: (jointSeconds + leader) / cases.length, jointSeconds: jointSeconds / cases.length };
}

/** Mean SSIM after so many iterations; slices that have ended keep what they have. */
const ssimAt = (rows, iteration) =>
  mean(rows.map(({ curve, last }) => (curve.find((point) => point.iteration === iteration) ?? last).ssim));

let goal;
console.log(`n = ${cases.length}\n`);
console.log(
  '| recipe | SSIM | PSNR | least gain: SSIM, dB | iterations | s a step | s a slice | to equal: iterations, s a slice |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
for (const [name, options] of Object.entries(config.recipes)) {
  if (values.only && !values.only.split(',').includes(name)) continue;
  const { rows, shared, jointSeconds } = await measure({ ...config.common, ...options });
  const told = (kind, digits) =>
    `${mean(rows.map(({ first }) => first[kind])).toFixed(digits)} -> ${mean(rows.map(({ last }) => last[kind])).toFixed(digits)}`;
  const least = (kind, digits) => Math.min(...rows.map(({ first, last }) => last[kind] - first[kind])).toFixed(digits);
  const iterations = mean(rows.map(({ outcome }) => outcome.iterations));
  const seconds = jointSeconds + mean(rows.map((row) => row.seconds));
  const perStep = mean(rows.map((row) => row.seconds)) / Math.max(1, iterations);
  goal ??= ssimAt(rows, Number.POSITIVE_INFINITY) - CLOSE;
  const stops = [...new Set(rows.flatMap(({ curve }) => curve.map(({ iteration }) => iteration)))].sort(
    (a, b) => a - b,
  );
  const enough = stops.find((iteration) => iteration > 0 && ssimAt(rows, iteration) >= goal);
  const equal = enough === undefined ? 'not reached' : `${enough}, ${(shared + enough * perStep).toFixed(1)}`;
  console.log(
    `| ${name} | ${told('ssim', 4)} | ${told('psnr', 2)} | ${least('ssim', 4)}, ${least('psnr', 2)} | ${iterations.toFixed(0)} | ${perStep.toFixed(3)} | ${seconds.toFixed(1)} | ${equal} |`,
  );
  console.error(
    `${name}: ${stops.map((iteration) => `${iteration}:${ssimAt(rows, iteration).toFixed(4)}`).join(' ')}; ${rows.map(({ outcome }) => `${outcome.verdict}@${outcome.bestIteration}`).join(' ')}`,
  );
}
