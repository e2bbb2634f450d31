// How coil maps serve CG-SENSE, by crop, centre lines and sets: node bench/quality/maps.mjs --data FOLDER [--write]
// Prints the tables; with --write puts them between the markers of docs/methods.md and the picture into docs/images.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  calibrate,
  cgSense,
  createMask,
  fft2,
  ifft2,
  Mask,
  openScan,
  psnr,
  renderPhantom,
  simulateScan,
  ssim,
} from '../../dist/index.js';
import { combineComponents, rootSumOfSquares } from '../../dist/reconstruction/images.js';
import { encodePng, errorPicture, greyPicture, panel } from '../../dist/report/picture.js';
import { writeTable } from '../support/document.mjs';

const { values } = parseArgs({ options: { data: { type: 'string' }, write: { type: 'boolean', default: false } } });
if (values.data === undefined) throw new Error('--data FOLDER must name the folder of the brain_*.h5 scans');

const OBJECT = 0.07; // of the brightest pixel: fainter ones are background
const LAMBDA = 0.005;
const THRESHOLD = 0.0004; // as reconstruct() calibrates
const ERROR_LIMIT = 0.25; // of white
const PICTURE = new URL('../../docs/images/wrapped-field-of-view.png', import.meta.url);

async function readScan(name) {
  const scan = await openScan(join(values.data, `${name}.h5`));
  const kspace = await scan.readKspace(0);
  await scan.close();
  return kspace;
}

async function simulated(coils, size, options = {}) {
  const head = await renderPhantom({ family: 'head', seed: 3, size: 320 });
  const { kspace } = await simulateScan(head, { coils, seed: 3, size, ...options });
  return { data: kspace.data, shape: kspace.shape.slice(1) };
}

/** Root sum of squares of the full data, and where the object is. */
async function truthOf(full) {
  const image = await rootSumOfSquares(full);
  const peak = image.data.reduce((most, value) => Math.max(most, value));
  return { image, object: image.data.map((value) => (value > OBJECT * peak ? 1 : 0)) };
}

const inside = (image, { object }) => ({ ...image, data: image.data.map((value, i) => value * object[i]) });

/** CG-SENSE on `kspace` with maps estimated from `calibrated`, against the truth inside the object. */
async function judge(kspace, mask, calibrated, options, truth) {
  try {
    const { maps, ...found } = await calibrate(calibrated.kspace, { mask: calibrated.mask, ...options });
    const { x } = await cgSense(kspace, { maps, mask }, { lambda: LAMBDA });
    const image = await combineComponents(x);
    const [wanted, got] = [inside(truth.image, truth), inside(image, truth)];
    const error = got.data.reduce((sum, value, i) => sum + (value - wanted.data[i]) ** 2, 0);
    const nmse = error / wanted.data.reduce((sum, value) => sum + value ** 2, 0);
    const support = await combineComponents({
      data: maps.data,
      shape: [maps.shape[0] * maps.shape[1], ...maps.shape.slice(2)],
    });
    const both = support.data.reduce((sum, value, i) => sum + (value > 0 ? truth.object[i] : 0), 0);
    const sides = support.data.reduce((sum, value, i) => sum + (value > 0 ? 1 : 0) + truth.object[i], 0);
    return { ...found, nmse, dice: (2 * both) / sides, image, psnr: psnr(wanted, got), ssim: ssim(wanted, got) };
  } catch (error) {
    if (error.code === 'ERR_CALIBRATION') return undefined;
    throw error;
  }
}

const row = (cells) => `| ${cells.join(' | ')} |`;
const tableOf = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row), ''];
const thousandths = (outcome) => (outcome ? (1e3 * outcome.nmse).toPrecision(3) : '-');

/** Masks of `lines` centre lines and nothing else, and the k-space left by them. */
async function centreOnly(full, lines) {
  const nx = full.shape[2];
  const first = (nx >> 1) - (lines >> 1);
  const mask = {
    shape: [nx],
    data: Uint8Array.from({ length: nx }, (_, x) => (x >= first && x < first + lines ? 1 : 0)),
  };
  return { mask, kspace: await new Mask(mask, full.shape).apply(full) };
}

async function cropTable() {
  const rows = [];
  for (const [title, full, type, acceleration, lines] of [
    ['brain GRE T2*, 16 coils', await readScan('brain_gre_t2star_16ch'), 'random', 3, 20],
    ['', await readScan('brain_gre_t2star_16ch'), 'equispaced', 2, 12],
    ['brain PD, 8 coils', await readScan('brain_pd_8ch'), 'random', 4, 24],
    ['', await readScan('brain_pd_8ch'), 'equispaced', 3, 16],
    ['bottle, 16 coils', await readScan('phantom_gre_16ch'), 'random', 3, 20],
    ['simulated head, 15 coils', await simulated(15, 160), 'random', 4, 16],
  ]) {
    const columns = full.shape[2];
    const mask = createMask({ type, columns, acceleration, centerFraction: lines / columns, seed: 1 });
    const kspace = await new Mask(mask, full.shape).apply(full);
    const truth = await truthOf(full);
    const outcomes = [];
    for (const crop of [0.8, 'auto', 0.95])
      outcomes.push(await judge(kspace, mask, { mask, kspace }, { crop, threshold: THRESHOLD }, truth));
    const cells = outcomes.map((outcome) => `${outcome.dice.toFixed(3)}, ${thousandths(outcome)}`);
    rows.push([
      title,
      `${type} ${acceleration}x, ${lines}`,
      cells[0],
      `${cells[1]} (${outcomes[1].crop.toFixed(2)})`,
      cells[2],
    ]);
  }
  return tableOf(['scan', 'mask, centre lines', 'crop 0.8', 'crop auto', 'crop 0.95'], rows);
}

async function linesTable() {
  const ways = [
    ['kernel 6', { kernel: 6, threshold: THRESHOLD }],
    ['default kernel', { threshold: THRESHOLD }],
    ['low-resolution', { method: 'low-resolution' }],
  ];
  const counts = [4, 6, 8, 10, 12, 16, 20, 24];
  const rows = [];
  for (const [title, full, acceleration] of [
    ['brain GRE T2*, 16 coils', await readScan('brain_gre_t2star_16ch'), 3],
    ['brain PD, 8 coils', await readScan('brain_pd_8ch'), 4],
    ['simulated head, 15 coils', await simulated(15, 160), 4],
  ]) {
    const columns = full.shape[2];
    const mask = createMask({ type: 'equispaced', columns, acceleration, centerFraction: 32 / columns, seed: 1 });
    const kspace = await new Mask(mask, full.shape).apply(full);
    const truth = await truthOf(full);
    for (const [way, options] of ways) {
      const cells = [];
      for (const lines of counts)
        cells.push(thousandths(await judge(kspace, mask, await centreOnly(full, lines), options, truth)));
      rows.push([way === ways[0][0] ? title : '', way, ...cells]);
    }
  }
  return tableOf(['scan', 'maps', ...counts.map((lines) => `${lines} lines`)], rows);
}

/** K-space of images [coil, y, x] folded onto the middle `columns` columns. */
async function folded({ data, shape: [coils, ny, nx] }, columns) {
  const narrow = { data: new Float32Array(2 * coils * ny * columns), shape: [coils, ny, columns] };
  const first = (nx >> 1) - (columns >> 1);
  for (let i = 0; i < coils * ny * nx; i += 1) {
    const to = 2 * (Math.floor(i / nx) * columns + (((((i % nx) - first) % columns) + columns) % columns));
    narrow.data[to] += data[2 * i];
    narrow.data[to + 1] += data[2 * i + 1];
  }
  return await fft2(narrow);
}

async function wrappedTable() {
  const [size, coils, acceleration, lines] = [160, 12, 2, 20];
  const noisy = await ifft2(await simulated(coils, size));
  const clean = await ifft2(await simulated(coils, size, { snr: Number.POSITIVE_INFINITY }));
  const rows = [];
  let picture;
  for (const columns of [160, 120, 100, 90]) {
    const truth = await truthOf(await folded(clean, columns));
    const full = await folded(noisy, columns);
    const mask = createMask({ type: 'equispaced', columns, acceleration, centerFraction: lines / columns, seed: 1 });
    const kspace = await new Mask(mask, full.shape).apply(full);
    const outcomes = [];
    for (const sets of [1, 2])
      outcomes.push(await judge(kspace, mask, { mask, kspace }, { sets, threshold: THRESHOLD }, truth));
    const quality = outcomes.map((outcome) => `${outcome.ssim.toFixed(4)} / ${outcome.psnr.toFixed(1)}`);
    rows.push([`${columns} of ${size}`, `${(100 * outcomes[0].folded).toFixed(1)} %`, ...quality]);
    picture = { truth, outcomes };
  }
  if (values.write) {
    const { truth, outcomes } = picture;
    const white = 0.8 * truth.image.data.reduce((most, value) => Math.max(most, value));
    const images = [truth.image, ...outcomes.map(({ image }) => image)].map((image) => greyPicture(image, white));
    const errors = outcomes.map(({ image }) => errorPicture(image, truth.image, ERROR_LIMIT * white));
    await writeFile(PICTURE, encodePng(panel([images, [undefined, ...errors]])));
  }
  return tableOf(['columns', 'folded', '1 set: SSIM / PSNR in dB', '2 sets'], rows);
}

const tables = { 'crop table': cropTable, 'centre-line table': linesTable, 'wrapped table': wrappedTable };
for (const [name, make] of Object.entries(tables)) {
  const text = (await make()).join('\n');
  if (values.write) await writeTable(name, text);
  else process.stdout.write(`${name}\n\n${text}\n`);
}
