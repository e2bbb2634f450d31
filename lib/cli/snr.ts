// `larmor snr FILE -o OUT.h5`: signal-to-noise ratio and g-factor of a method on a scan.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RealArray } from '../arrays/complex-array.js';
import { percentile } from '../arrays/percentile.js';
import { sliceAt } from '../arrays/slices.js';
import { writeFileAtomically } from '../io/atomic-write.js';
import { writeFailure } from '../io/file-errors.js';
import { writeImages } from '../io/image-file.js';
import { openScan, type ScanOptions } from '../io/scan.js';
import { type NoiseMaps, pseudoReplica } from '../reconstruction/pseudo-replica.js';
import { colourMapPicture } from '../report/colour-map.js';
import { encodePng } from '../report/picture.js';
import { integer } from './options.js';
import { expectOutput } from './output.js';
import { addMethodFlags, type ReconFlags, reconstructionOptions } from './recon-flags.js';
import { addScanFlags, scanOptions, unreadParts } from './scan-flags.js';
import type { Outcome, Register, Session } from './shell.js';
import { formatSeconds, table } from './text.js';

interface Flags extends ReconFlags, Omit<ScanOptions, 'signal'> {
  readonly output: string;
  readonly replicas: number;
  readonly noiseSeed: number;
  readonly report?: string;
}

export const register: Register = (program, shell) => {
  const command = program
    .command('snr')
    .description('signal-to-noise ratio and g-factor of a method, by pseudo multiple replicas')
    .argument('<file>', 'a scan')
    .requiredOption(
      '-o, --output <file>',
      'HDF5 file to write: snr and, of fully sampled scans, g_factor [slice, y, x]',
    )
    .option('--replicas <n>', 'reconstructions of every slice with noise added', integer({ min: 2 }), 100)
    .option('--noise-seed <n>', 'of the added noise', integer({ min: 0 }), 0);
  addScanFlags(addMethodFlags(command))
    .option('--report <folder>', 'also write both maps as pictures')
    .action((file: string, flags: Flags) => shell.run((session) => run(file, flags, session)));
};

async function run(input: string, flags: Flags, { signal, onProgress, note }: Session): Promise<Outcome> {
  const { output, replicas, noiseSeed, report } = flags;
  const { adapt: _, reference: __, parallelism: ___, ...options } = reconstructionOptions(flags); // no flag sets these
  await expectOutput(output, input);
  await using scan = await openScan(input, { ...scanOptions(flags), signal });
  for (const text of unreadParts(scan)) note(text);
  const result = await pseudoReplica(scan, {
    ...options,
    ...{ replicas, noiseSeed, signal },
    onProgress: (fraction, slice) => onProgress(fraction, `slice ${slice}`),
  });
  for (const text of result.manifest.noise.warnings) note(text);
  const { snr, gFactor, manifest, acceleration, standardError } = result;
  if (report !== undefined) await writePictures(report, result);
  await writeImages(output, { snr, ...(gFactor && { g_factor: gFactor }) }, manifest, { signal });
  const summaries = { snr: summary(snr), gFactor: gFactor && summary(gFactor) };
  const { method, seconds, noise } = manifest;
  const json = { input, output, report, method, replicas, acceleration, standardError, noise, ...summaries, seconds };
  const rows = [
    ['output', `${output}, ${snr.shape.join(' x ')}`],
    ['method', `${method}, ${acceleration.toFixed(2)}x`],
    ['noise', `${noise.source}, ${noise.samples} samples`],
    ['SNR', describe(summaries.snr)],
    ...(summaries.gFactor ? [['g-factor', describe(summaries.gFactor)]] : []),
    ['precision', `${(100 * standardError).toPrecision(2)} % a pixel, ${replicas} replicas`],
    ['time', formatSeconds(seconds)],
  ];
  return { json, text: table(rows) };
}

/** Percentiles over the pixels that are not 0. */
interface Summary {
  readonly median: number;
  readonly percentile95: number;
}

function summary({ data }: RealArray): Summary {
  const inside = data.filter((value) => value > 0);
  if (inside.length === 0) return { median: 0, percentile95: 0 };
  return { median: percentile(inside, 50), percentile95: percentile(inside, 95) };
}

function describe({ median, percentile95 }: Summary): string {
  return `median ${median.toPrecision(3)}, 95th percentile ${percentile95.toPrecision(3)}`;
}

/** `slice-003-snr.png` and `slice-003-g-factor.png`, each map from 0 to its 99th percentile over all slices. */
async function writePictures(folder: string, { snr, gFactor, manifest }: NoiseMaps): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw writeFailure(folder, error);
  }
  for (const [name, volume] of Object.entries({ snr, 'g-factor': gFactor })) {
    if (!volume) continue;
    const limit = percentile(volume.data, 99) || 1;
    for (const [position, index] of manifest.slices.entries()) {
      const file = join(folder, `slice-${String(index).padStart(3, '0')}-${name}.png`);
      await writeFileAtomically(file, [encodePng(colourMapPicture(sliceAt(volume, position), limit))]);
    }
  }
}
