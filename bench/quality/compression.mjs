// What virtual coils cost CG-SENSE: node bench/quality/compression.mjs --data FOLDER [--write]
// Prints the table; with --write puts it between the markers of docs/methods.md.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  Coils,
  cgSense,
  compressCoils,
  createMask,
  espirit,
  geometricCompression,
  ifft2,
  Mask,
  openScan,
  renderPhantom,
  simulateScan,
  svdCompression,
} from '../../dist/index.js';
import { combineComponents } from '../../dist/reconstruction/images.js';
import { writeTable } from '../support/document.mjs';

const { values } = parseArgs({ options: { data: { type: 'string' }, write: { type: 'boolean', default: false } } });
if (values.data === undefined) throw new Error('--data FOLDER must name the folder of the brain_*.h5 scans');

const THRESHOLD = 0.0004; // as reconstruct() calibrates
const COLUMNS = [
  ['svd 8', svdCompression, { coils: 8 }],
  ['svd 12', svdCompression, { coils: 12 }],
  ['svd 16', svdCompression, { coils: 16 }],
  ['svd 99 %', svdCompression, { energy: 0.99 }],
  ['svd 99.9 %', svdCompression, { energy: 0.999 }],
  ['geometric 8', geometricCompression, { coils: 8 }],
  ['geometric 12', geometricCompression, { coils: 12 }],
];

/** A noisy simulated head, and what the coils see without noise. */
async function simulated(coils) {
  const object = await renderPhantom({ family: 'head', seed: 2, size: 160, contrast: 't2' });
  const { kspace, image } = await simulateScan(object, { seed: 3, coils, snr: 40 });
  return {
    name: `simulated head, ${coils} coils`,
    kspace: slice(kspace),
    truth: await combineComponents(slice(image)),
  };
}

const slice = ({ data, shape }) => ({ data, shape: shape.slice(1) });

/** A fully sampled scan, and its combination by ESPIRiT maps. */
async function scanned(file, name) {
  const scan = await openScan(join(values.data, `${file}.h5`));
  const kspace = await scan.readKspace(0);
  await scan.close();
  const { maps } = await espirit(kspace, { threshold: THRESHOLD });
  return { name, kspace, truth: await combineComponents(await new Coils(maps).adjoint(await ifft2(kspace))) };
}

/** Relative l2 error of CG-SENSE where the truth is not zero. */
async function errorOf(kspace, mask, { data: truth }) {
  const { maps } = await espirit(kspace, { mask, threshold: THRESHOLD });
  const { data } = await combineComponents((await cgSense(kspace, { maps, mask }, { lambda: 0.005 })).x);
  let [error, energy] = [0, 0];
  truth.forEach((wanted, i) => {
    if (wanted > 0) error += (data[i] - wanted) ** 2;
    energy += wanted ** 2;
  });
  return Math.sqrt(error / energy);
}

const lines = [
  `| scan | R | all coils | ${COLUMNS.map(([title]) => title).join(' | ')} |`,
  `|${' --- |'.repeat(COLUMNS.length + 3)}`,
];
for (const { name, kspace: full, truth } of [
  await simulated(20),
  await simulated(32),
  await simulated(64),
  await scanned('brain_gre_t2star_16ch', 'brain GRE T2*, 16 coils'),
  await scanned('phantom_gre_16ch', 'bottle, 16 coils'),
])
  for (const acceleration of [2, 4]) {
    const [coils, , columns] = full.shape;
    const centerFraction = 0.32 / acceleration;
    const mask = createMask({ type: 'equispaced_fraction', columns, acceleration, centerFraction, seed: 1 });
    const kspace = await new Mask(mask, full.shape).apply(full);
    const all = await errorOf(kspace, mask, truth);
    const cells = [];
    for (const [, compress, options] of COLUMNS) {
      if (options.coils >= coils) {
        cells.push('-');
        continue;
      }
      const compression = await compress(kspace, { ...options, mask });
      const error = await errorOf(await compressCoils(kspace, compression), mask, truth);
      cells.push(`${(error / all).toFixed(3)}${options.coils ? '' : ` (${compression.coils})`}`);
    }
    lines.push(`| ${name} | ${acceleration} | ${all.toPrecision(3)} | ${cells.join(' | ')} |`);
  }
const table = lines.join('\n');
console.log(table);
if (values.write) await writeTable('compression table', table);
