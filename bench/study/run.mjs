// An adaptation study as a configuration describes it: trains a model per domain, adapts it to every test slice and mask,
// and compares with the stated targets.
//
//   node bench/study/run.mjs bench/study/anatomy.json --data FOLDER [--threads N] [--only P]
//
// Models are kept under build-study/ by the digest of what made them. Reference of a test slice: the magnitude of the SENSE
// combination of its full data with ESPIRiT maps from 24 lines. Outputs are zero outside the support of the maps that the
// undersampled data gave. SSIM is fastMRI's, the data range that of the slice. "Consistent" means after data consistency.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { adaptationSettings } from '../../dist/adaptation/options.js';
import { SliceAdapter } from '../../dist/adaptation/slice.js';
import { magnitude } from '../../dist/arrays/magnitude.js';
import { espirit } from '../../dist/calibration/espirit.js';
import {
  cgSense,
  createMask,
  createNetwork,
  dataConsistency,
  EncodingOperator,
  loadModel,
  openScan,
  psnr,
  saveModel,
  ssim,
} from '../../dist/index.js';
import { Mask } from '../../dist/operators/mask.js';
import { parseTrainingConfig, prepareDataset, trainingPlan } from '../../dist/training/config.js';
import { volumeSource } from '../../dist/training/sources.js';
import { train } from '../../dist/training/trainer.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { data: { type: 'string' }, threads: { type: 'string', default: '1' }, only: { type: 'string' } },
});
const study = JSON.parse(await readFile(positionals[0], 'utf8'));
const threads = Number(values.threads);
const { calibration } = study.training;
const CG_SENSE_WEIGHT = 0.005; // the best of three on such data, for the baseline's benefit

const inData = ({ volumes, ...source }) => ({
  ...source,
  volumes: volumes.map((volume) => ({ ...volume, path: join(values.data, volume.path) })),
});

/** The model of a domain: a given one, or trained unless it is at hand. */
async function modelOf(name) {
  const { model } = study.domains[name];
  if (model !== undefined) return loadModel(model);
  const digest = createHash('sha256')
    .update(JSON.stringify([study.training, study.domains[name]]))
    .digest('hex');
  const path = join('build-study', `${name}-${digest.slice(0, 12)}.safetensors`);
  if (existsSync(path)) return loadModel(path);
  const config = parseTrainingConfig({ ...study.training, training: inData(study.domains[name]) });
  const { kind, ...settings } = config.network;
  const network = createNetwork(kind, settings);
  const training = await prepareDataset(config, config.training, { threads });
  const onProgress = ({ step, steps, loss }) =>
    step % 100 === 0 && console.error(`${name}: step ${step} of ${steps}, loss ${loss.toFixed(4)}`);
  const { weights } = await train({ network, plan: trainingPlan(config), training, threads, onProgress });
  await mkdir('build-study', { recursive: true });
  await saveModel(path, { network, weights, input: config.input, notes: {} });
  return loadModel(path);
}

/** Fully sampled slices of a test. */
async function slicesOf(test) {
  if (test.source === 'volumes') {
    const { volumes, snr, phase, seed } = test;
    const source = await volumeSource({ ...inData({ volumes, snr, phase, seed }), variants: 1, size: 128, coils: 8 });
    const slices = [];
    for (let i = 0; i < source.length; i += 1) slices.push(await source.read(i, { threads }));
    return test.transpose ? slices.map(transposed) : slices;
  }
  const scan = await openScan(join(values.data, test.path));
  const kspace = await scan.readKspace(0);
  await scan.close();
  return [centre(kspace, test.size)];
}

/** K-space with its axes exchanged: the phase encode then runs along the shorter side of the head, as on a scanner. */
function transposed({ data, shape: [coils, side] }) {
  const result = new Float32Array(data.length);
  for (let c = 0; c < coils; c += 1)
    for (let y = 0; y < side; y += 1)
      for (let x = 0; x < side; x += 1) {
        const from = 2 * ((c * side + x) * side + y);
        result.set(data.subarray(from, from + 2), 2 * ((c * side + y) * side + x));
      }
  return { data: result, shape: [coils, side, side] };
}

/** The central size x size samples of k-space. */
function centre({ data, shape: [coils, rows, columns] }, size) {
  const [top, left] = [(rows - size) / 2, (columns - size) / 2].map(Math.floor);
  const result = new Float32Array(2 * coils * size * size);
  for (let c = 0; c < coils; c += 1)
    for (let y = 0; y < size; y += 1) {
      const from = 2 * ((c * rows + top + y) * columns + left);
      result.set(data.subarray(from, from + 2 * size), 2 * (c * size + y) * size);
    }
  return { data: result, shape: [coils, size, size] };
}

const oneSet = ({ maps: { data, shape } }) => ({ data, shape: shape.slice(1) });

/** What one slice under one mask gives, by every model: SSIM and PSNR by the name of the image. */
async function measure(kspace, mask, test, adapters, seed) {
  const [coils, height, width] = kspace.shape;
  const full = { data: new Uint8Array(width).fill(1), shape: [width] };
  const reference = magnitude(
    await new EncodingOperator({
      maps: oneSet(await espirit(kspace, { ...calibration, threads })),
      mask: full,
    }).adjoint(kspace),
  );
  const measured = await new Mask(mask, kspace.shape).apply(kspace);
  const maps = oneSet(await espirit(measured, { ...calibration, mask, threads }));
  const n = height * width;
  const isInside = (i) => {
    for (let c = 0; c < coils; c += 1) if (maps.data[2 * (c * n + i)] !== 0) return true;
    return false;
  };
  const score = (image) => {
    const inside = { data: magnitude(image).data.map((value, i) => (isInside(i) ? value : 0)), shape: [height, width] };
    return { ssim: ssim(reference, inside), psnr: psnr(reference, inside) };
  };
  const consistent = async (image) => (await dataConsistency(image, measured, { maps, mask }, { threads })).x;
  const slice = { kspace: measured, maps, mask, seed };
  const cg = await cgSense(measured, { maps, mask }, { lambda: CG_SENSE_WEIGHT, threads });
  const scores = { 'CG-SENSE': score(cg.x) };
  let outcomes = {};
  for (const [name, { model, adapter }] of Object.entries(adapters)) {
    const { image, unadapted, outcome } = await adapter.adapt(slice);
    scores[`${name} before`] = score(unadapted);
    scores[`${name} after`] = score(image);
    scores[`${name} before, consistent`] = score(await consistent(unadapted));
    scores[`${name} after, consistent`] = score(await consistent(image));
    outcomes = { ...outcomes, [name]: outcome };
    // The best of what stopping at other iterations would have given, by the reference itself.
    let oracle = scores[`${name} after`];
    for (let stop = test.oracleEvery; stop <= test.iterations; stop += test.oracleEvery) {
      const other = new SliceAdapter(model, settingsOf(test, { maxIterations: stop, keep: 'last' }), { threads });
      const then = score((await other.adapt(slice)).image);
      await other[Symbol.asyncDispose]();
      if (then.ssim > oracle.ssim) oracle = then;
    }
    scores[`${name} oracle`] = oracle;
  }
  return { scores, outcomes };
}

const settingsOf = (test, changes = {}) =>
  adaptationSettings({ maxIterations: test.iterations, ...test.adapt, ...changes });

const names = (values.only ?? Object.keys(study.domains).join()).split(',');
const models = {};
for (const name of names) models[name] = await modelOf(name);
let missed = 0;
console.log(`# ${study.title}\n`);
for (const test of study.tests) {
  const rows = [];
  for (const [position, kspace] of (await slicesOf(test)).entries())
    for (const seed of test.masks) {
      const adapters = {};
      for (const name of names)
        adapters[name] = {
          model: models[name],
          adapter: new SliceAdapter(models[name], settingsOf(test), { threads }),
        };
      const { acceleration, centerFraction, type } = study.training.undersampling;
      const mask = createMask({ type, acceleration, centerFraction, columns: kspace.shape[2], seed });
      const row = await measure(kspace, mask, test, adapters, [seed, position]);
      rows.push(row);
      for (const { adapter } of Object.values(adapters)) await adapter[Symbol.asyncDispose]();
      const { scores, outcomes } = row;
      const shown = Object.entries(scores).map(([name, s]) => `${name} ${s.ssim.toFixed(3)}/${s.psnr.toFixed(1)}`);
      const told = Object.entries(outcomes).map(
        ([name, { verdict, bestIteration, seconds, iterations }]) =>
          `${name} ${verdict} at ${bestIteration} (${(seconds / iterations).toFixed(3)} s/it)`,
      );
      console.error(`${test.name} ${position}, mask ${seed}: ${[...told, ...shown].join('; ')}`);
    }
  missed += report(test, rows);
}
process.exit(missed === 0 ? 0 : 1);

/** Prints means, spreads, worst slices and the targets; returns how many were missed. */
function report(test, rows) {
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const deviation = (list) => Math.sqrt(mean(list.map((value) => (value - mean(list)) ** 2)));
  console.log(
    `## ${test.name}, n = ${rows.length}\n\n| image | SSIM mean±sd (worst) | PSNR mean |\n| --- | --- | --- |`,
  );
  for (const name of Object.keys(rows[0].scores)) {
    const all = rows.map(({ scores }) => scores[name].ssim);
    const psnrs = rows.map(({ scores }) => scores[name].psnr);
    console.log(
      `| ${name} | ${mean(all).toFixed(4)}±${deviation(all).toFixed(4)} (${Math.min(...all).toFixed(4)}) | ${mean(psnrs).toFixed(2)} |`,
    );
  }
  const difference = (a, b) => rows.map(({ scores }) => scores[a].ssim - (scores[b]?.ssim ?? Number.NaN));
  const gains = difference('P after', 'P before');
  const consistent = difference('P after, consistent', 'P before, consistent');
  const measured = {
    'mean P gain': mean(gains),
    'worst P gain': Math.min(...gains),
    'mean P gain, consistent': mean(consistent),
    'worst P gain, consistent': Math.min(...consistent),
    'mean P SSIM, consistent': mean(rows.map(({ scores }) => scores['P after, consistent'].ssim)),
    'mean P PSNR, consistent': mean(rows.map(({ scores }) => scores['P after, consistent'].psnr)),
    'mean P SSIM, consistent, over CG-SENSE': mean(difference('P after, consistent', 'CG-SENSE')),
    'mean P SSIM over Q, after': mean(difference('P after', 'Q after')),
    'worst P SSIM over oracle': Math.min(...difference('P after', 'P oracle')),
  };
  console.log('\n| target | wanted, at least | measured | |\n| --- | --- | --- | --- |');
  const judged = Object.entries(test.targets).map(([name, wanted]) => {
    const met = Number.isNaN(measured[name]) || measured[name] >= wanted;
    console.log(`| ${name} | ${wanted} | ${measured[name].toFixed(4)} | ${met ? 'met' : 'MISSED'} |`);
    return met;
  });
  console.log();
  return judged.filter((met) => !met).length;
}
