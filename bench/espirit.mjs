// ESPIRiT beside `bart ecalib -m1` on the same k-space: node bench/espirit.mjs [threads] [rounds]
// BART's time is that of the whole command; its start and files take about 0.03 s of it. No time is printed unless the maps agree.
import { espirit } from '../dist/calibration/espirit.js';
import { bartFolder, undersampledSlice } from './support/bart.mjs';
import { contestant, numbers, report, takeTurns } from './support/harness.mjs';

const [threads = 1, rounds = 5] = numbers;
const MIN_CORRELATION = 0.999;

/** Mean over BART's support of the correlation modulus of the coil vectors of the first set. */
function correlation(maps, wanted, [coils, ny, nx]) {
  let [sum, support] = [0, 0];
  for (let p = 0; p < ny * nx; p++) {
    let [re, im, ours, theirs] = [0, 0, 0, 0];
    for (let c = 0; c < coils; c++) {
      const i = 2 * (c * ny * nx + p);
      re += maps[i] * wanted[i] + maps[i + 1] * wanted[i + 1];
      im += maps[i] * wanted[i + 1] - maps[i + 1] * wanted[i];
      ours += maps[i] ** 2 + maps[i + 1] ** 2;
      theirs += wanted[i] ** 2 + wanted[i + 1] ** 2;
    }
    if (theirs > 0) support++;
    if (theirs > 0 && ours > 0) sum += Math.hypot(re, im) / Math.sqrt(ours * theirs);
  }
  return sum / support;
}

for (const shape of [
  [8, 320, 320],
  [15, 320, 320],
  [32, 320, 320],
  [15, 640, 368],
]) {
  const { kspace, mask } = await undersampledSlice(...shape);
  const [coils, ...image] = shape;
  const bart = await bartFolder();
  await bart.write('kspace', kspace);
  for (const sets of [1, 2]) {
    const theirs = bart.contestant(threads, 'ecalib', '-d0', `-m${sets}`, 'kspace', 'maps');
    await theirs.time();
    const { maps } = await espirit(kspace, { mask, threads, sets });
    const wanted = await bart.read('maps', [sets * coils, ...image]);
    const agreement = correlation(maps.data, wanted.data, shape);
    if (!(agreement >= MIN_CORRELATION)) throw new Error(`${shape}: the maps correlate by ${agreement} only`);
    const ours = contestant('larmor', () => espirit(kspace, { mask, threads, sets }));
    const times = await takeTurns([ours, theirs], rounds);
    const benchmark = `ESPIRiT, ${sets} map${sets > 1 ? 's' : ''}`;
    report({
      benchmark,
      name: shape.join('x'),
      times,
      threads,
      agreement: `maps correlate by ${agreement.toFixed(5)}`,
    });
  }
  await bart.close();
}
