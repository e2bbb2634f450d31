// Every method on every scan, mask and acceleration: node bench/quality/run.mjs --data FOLDER [--only METHOD,...] [--write]
// Prints the tables; with --write puts them between the markers of docs/methods.md and the pictures into docs/images.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { sliceAt } from '../../dist/arrays/slices.js';
import { evaluateVolume, METHODS, openScan, reconstruct } from '../../dist/index.js';
import { encodePng, errorPicture, greyPicture, panel } from '../../dist/report/picture.js';
import { writeTable } from '../support/document.mjs';

const { values } = parseArgs({
  options: { data: { type: 'string' }, only: { type: 'string' }, write: { type: 'boolean', default: false } },
});
if (values.data === undefined) throw new Error('--data FOLDER must name the folder of the brain_*.h5 scans');

const ACCELERATIONS = [2, 3, 4, 6];
const MASKS = ['random', 'equispaced'];
const CENTER_FRACTION = 0.08;
const SEEDS = [0, 1, 2];
const MODELS = { unet: 'unet-small' }; // a network method without a shipped model is left out
const PICTURED = { type: 'random', acceleration: 4 };
const ERROR_LIMIT = 0.15; // of the reference's maximum

const temporary = await mkdtemp(join(tmpdir(), 'larmor-quality-'));
const simulated = join(temporary, 'head.h5');
larmor(
  'simulate',
  '--phantom',
  'head',
  '--contrast',
  't2',
  '--slices',
  '0:1',
  '--size',
  '320',
  '--coils',
  '15',
  '--seed',
  '1',
  '-o',
  simulated,
);
// Real scans are compared with the SENSE combination of all their samples, the simulated one with its noiseless truth.
// The licence of the PD scan (GPL) does not go with this package's, so its picture stays out of docs/.
const UNPICTURED = ['pd'];
const scans = [
  ['brain PD, 8 coils, 256x256', 'pd', join(values.data, 'brain_pd_8ch.h5'), 'sense'],
  ['brain GRE T2*, 16 coils, 128x128', 'gre', join(values.data, 'brain_gre_t2star_16ch.h5'), 'sense'],
  ['simulated head T2, 15 coils, 320x320', 'simulated', simulated, 'stored'],
];
const methods = METHODS.filter(
  ({ name, needsModel }) => (!needsModel || MODELS[name]) && (!values.only || values.only.split(',').includes(name)),
);

function larmor(...args) {
  execFileSync(process.execPath, [fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url)), ...args], {
    stdio: 'ignore',
  });
}

/** Keeps `image` where `support`, an image of the object, is not zero: methods differ in what they leave outside the object. */
const inside = (image, support) => ({
  ...image,
  data: image.data.map((value, i) => (support.data[i] > 0 ? value : 0)),
});

/** The object alone: where the SENSE combination of the full data is not zero. */
async function supportOf(scan) {
  return (await reconstruct(scan, { method: 'zero-filled', reference: 'sense' })).reference;
}

/** One reconstruction, compared inside the support. */
async function outcome(scan, kind, support, method, undersample, seed) {
  const options = {
    ...{ method: method.name, reference: kind },
    undersample: { ...undersample, centerFraction: CENTER_FRACTION, seed },
    ...(method.needsModel && { model: MODELS[method.name] }),
  };
  const result = await reconstruct(scan, options);
  const [image, reference] = [result.image, result.reference].map((volume) => inside(volume, support));
  return { image: sliceAt(image, 0), reference: sliceAt(reference, 0), ...evaluateVolume(reference, image) };
}

/** One cell of the table: the mean over the seeds, and the images of the first. */
async function cell(scan, kind, support, method, undersample) {
  const outcomes = [];
  for (const seed of SEEDS) outcomes.push(await outcome(scan, kind, support, method, undersample, seed));
  const mean = (name) => outcomes.reduce((sum, one) => sum + one[name], 0) / SEEDS.length;
  return { ...outcomes[0], ssim: mean('ssim'), psnr: mean('psnr') };
}

/** `.xxx / yy.y`: SSIM and PSNR. */
const quality = ({ ssim, psnr }) => `${ssim.toFixed(3).replace(/^0/, '')} / ${psnr.toFixed(1)}`;
const row = (cells) => `| ${cells.join(' | ')} |`;

/** The best of each column, by SSIM, in bold. */
function emphasised(rows) {
  return rows.map((cells) =>
    cells.map((one, column) => {
      const best = Math.max(...rows.map((other) => other[column].ssim));
      return one.ssim === best ? `**${quality(one)}**` : quality(one);
    }),
  );
}

/** Images above, errors below: the methods in the order of the table, the reference last. */
async function drawPicture(path, cells) {
  const { reference } = cells[0];
  const white = reference.data.reduce((most, value) => Math.max(most, value), 0);
  const images = [...cells.map(({ image }) => image), reference].map((image) => greyPicture(image, 0.8 * white));
  const errors = cells.map(({ image }) => errorPicture(image, reference, ERROR_LIMIT * white));
  await writeFile(path, encodePng(panel([images, [...errors, undefined]])));
}

const lines = [];
const columns = MASKS.flatMap((type) => ACCELERATIONS.map((acceleration) => ({ type, acceleration })));
for (const [title, name, path, kind] of scans) {
  const scan = await openScan(path);
  const support = await supportOf(scan);
  const table = [];
  for (const method of methods) {
    const cells = [];
    for (const undersample of columns) {
      cells.push(await cell(scan, kind, support, method, undersample));
      process.stderr.write(`${title}, ${method.name}, ${undersample.type} ${undersample.acceleration}: `);
      process.stderr.write(`${quality(cells.at(-1))}\n`);
    }
    table.push(cells);
  }
  await scan.close();
  const texts = emphasised(table);
  const head = columns.map(({ type, acceleration }) => `${type} ${acceleration}x`);
  lines.push(
    '',
    `**${title}**, SSIM / PSNR in dB`,
    '',
    row(['method', ...head]),
    row(['method', ...head].map(() => '---')),
  );
  for (const [i, method] of methods.entries()) lines.push(row([method.name, ...texts[i]]));
  if (!values.write || UNPICTURED.includes(name)) continue;
  const pictured = columns.findIndex((c) => c.type === PICTURED.type && c.acceleration === PICTURED.acceleration);
  const file = `methods-${name}.png`;
  await drawPicture(
    new URL(`../../docs/images/${file}`, import.meta.url),
    table.map((cells) => cells[pictured]),
  );
  const order = [...methods.map((method) => method.name), 'reference'].join(', ');
  lines.push(
    '',
    `![${title} at 4x, random](images/${file})`,
    '',
    `At 4x, random, from the left: ${order}; below, errors up to 15 % of the maximum.`,
  );
}
await rm(temporary, { recursive: true });

const text = `${lines.join('\n').trim()}\n`;
if (values.write) await writeTable('quality table', text);
else process.stdout.write(text);
