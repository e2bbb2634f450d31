// The same undersampled slices as one HDF5 file for larmor and as BART's files, and CG-SENSE with ESPIRiT maps from both as whole commands.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScanWriter } from '../../dist/io/fastmri-writer.js';
import { readImages } from '../../dist/io/image-file.js';
import { openScan } from '../../dist/io/scan.js';
import { estimateMemory } from '../../dist/reconstruction/memory.js';
import { bartFolder, undersampledSlice } from './bart.mjs';
import { larmor, measureCommand } from './command.mjs';

const LAMBDA = '0.001';
const ITERATIONS = '30';

/** @param slices How many; they are copies of one, as what is in them makes no difference to time and memory. */
export async function undersampledVolume(slices, [coils, ny, nx]) {
  const { kspace, mask } = await undersampledSlice(coils, ny, nx);
  const folder = mkdtempSync(join(tmpdir(), 'larmor-bench-'));
  const [scan, output] = [join(folder, 'scan.h5'), join(folder, 'images.h5')];
  const writer = await ScanWriter.create(scan, { slices, coils, matrix: [ny, nx], mask });
  for (let slice = 0; slice < slices; slice++) await writer.writeKspace(slice, kspace);
  await writer.commit();
  const bart = await bartFolder();
  await bart.write('kspace', kspace);
  return {
    /** `larmor recon` of the first `count` slices. */
    larmor(threads, count = slices) {
      const options = [
        '--method',
        'cg-sense',
        '--regularisation',
        LAMBDA,
        '--iterations',
        ITERATIONS,
        '--tolerance',
        '1e-12',
      ];
      const range = ['--slices', `0:${count}`, '--threads', `${threads}`];
      return measureCommand([...larmor, 'recon', scan, '-o', output, ...options, ...range], { threads });
    },
    /** What larmor says beforehand that this will take, in bytes. */
    async estimate(threads, count = slices) {
      const opened = await openScan(scan);
      const { total } = await estimateMemory(opened, { method: 'cg-sense', threads, slices: { end: count } });
      await opened.close();
      return total;
    },
    /** `bart ecalib` and `bart pics`, once per slice, their files ready beforehand. */
    bart(threads, count = slices) {
      const commands = [
        ['ecalib', '-d0', '-m1', 'kspace', 'maps'],
        ['pics', '-d0', '-S', '-l2', '-r', LAMBDA, '-i', ITERATIONS, 'kspace', 'maps', 'image'],
      ];
      let [wall, processor, peak] = [0, 0, 0];
      for (let slice = 0; slice < count; slice++)
        for (const command of commands) {
          const run = measureCommand(['bart', ...command], { threads, cwd: bart.folder });
          wall += run.wall;
          processor += run.processor;
          peak = Math.max(peak, run.peak);
        }
      return { wall, processor, peak };
    },
    /** How far the magnitudes of the first slice agree, where BART's maps are not zero: ||ours - theirs|| / ||theirs||. */
    async difference() {
      const { data } = await readImages(output);
      const [theirs, maps] = [await bart.read('image', [1, ny, nx]), await bart.read('maps', [coils, ny, nx])];
      let [difference, norm] = [0, 0];
      for (let i = 0; i < ny * nx; i++) {
        let inside = false;
        for (let coil = 0; coil < coils; coil++) inside ||= maps.data[2 * (coil * ny * nx + i)] !== 0;
        if (!inside || data[i] === 0) continue;
        const wanted = Math.hypot(theirs.data[2 * i], theirs.data[2 * i + 1]);
        difference += (data[i] - wanted) ** 2;
        norm += wanted ** 2;
      }
      return Math.sqrt(difference / norm);
    },
    async close() {
      rmSync(folder, { recursive: true });
      await bart.close();
    },
  };
}
