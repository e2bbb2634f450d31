// `larmor simulate`: multi-coil k-space from magnitude images, or from an anatomy out of thin air.
import { basename } from 'node:path';
import { Option } from 'commander';
import type { RealArray } from '../arrays/complex-array.js';
import { magnitude } from '../arrays/magnitude.js';
import { sliceAt, slicesBetween } from '../arrays/slices.js';
import { LarmorError } from '../errors.js';
import { type ScanDescription, ScanWriter } from '../io/fastmri-writer.js';
import { readNifti } from '../io/nifti.js';
import { objectMedian, resizeSlices } from '../simulation/magnitude.js';
import {
  CONTRASTS,
  type Contrast,
  PHANTOM_FAMILIES,
  type PhantomFamily,
  renderPhantom,
} from '../simulation/phantom.js';
import { SimulatedScanner, sliceHeight } from '../simulation/scan.js';
import { simulateVolume } from '../simulation/volume.js';
import { integer, number, type SliceRange, sliceRange, withinSlices } from './options.js';
import { expectOutput } from './output.js';
import type { Outcome, Register, Session } from './shell.js';
import { count } from './text.js';

interface SimulateCommand {
  readonly output: string;
  readonly phantom?: PhantomFamily;
  readonly contrast?: Contrast;
  readonly slices?: SliceRange;
  readonly volume?: true;
  readonly size: number;
  readonly coils: number;
  readonly snr: number;
  readonly seed: number;
}

/** Anatomies are drawn this much finer than k-space, so that edges ring as a scanner's do. */
const OVERSAMPLING = 2;
const DEFAULT_SLICES = 4;

export const register: Register = (program, shell) => {
  program
    .command('simulate')
    .description('multi-coil k-space from magnitude images, or from a procedural anatomy')
    .argument('[volume]', 'NIfTI file with magnitude images; none with --phantom')
    .requiredOption('-o, --output <file>', 'scan to write, in the fastMRI layout')
    .addOption(new Option('--phantom <family>', 'draw an anatomy instead').choices(PHANTOM_FAMILIES))
    .addOption(new Option('--contrast <name>', 'weighting of the phantom (default: by the seed)').choices(CONTRASTS))
    .option('--slices <A:B>', 'slices of the volume (default: all); of a phantom, 0:N for N slices', sliceRange)
    .option('--volume', 'one 3-D scan: the slices become a second phase encoding')
    .option('--size <n>', 'side of k-space', integer({ min: 8, max: 2048 }), 256)
    .option('--coils <n>', 'receive coils', integer({ min: 1, max: 256 }), 8)
    .option(
      '--snr <x>',
      "median of the object over one coil's noise; the reference has none",
      number({ min: 1e-3 }),
      80,
    )
    .option('--seed <n>', 'seed of anatomy, coils, phase and noise', integer({ min: 0, max: 2 ** 32 - 1 }), 0)
    .action((volume: string | undefined, options: SimulateCommand) =>
      shell.run((session) => simulate(volume, options, session)),
    );
};

async function simulate(path: string | undefined, options: SimulateCommand, session: Session): Promise<Outcome> {
  const { output, phantom, contrast, size, coils, snr, seed } = options;
  if ((path === undefined) === (phantom === undefined))
    throw new LarmorError('ERR_ARGUMENT', 'simulate: give either a NIfTI volume or --phantom FAMILY');
  await expectOutput(output, path ?? '');
  const volume =
    path === undefined ? await phantomVolume(options, session) : await storedVolume(path, options, session);
  const [slices] = volume.shape;
  const source = path === undefined ? `phantom ${phantom}${contrast ? `, ${contrast}` : ''}` : basename(path);
  const origin = `simulated by larmor from ${source}, seed ${seed}, SNR ${snr}`;
  const description = { coils, acquisition: contrast, attributes: { origin } };
  const shape = options.volume
    ? await writeVolume(options, volume, description, session)
    : await writeSlices(options, volume, description, session);
  const json = { output, source, slices, coils, matrix: [size, size], snr, seed, volume: options.volume === true };
  return { json, text: `${output}: ${shape}, fully sampled` };
}

type Description = Pick<ScanDescription, 'coils' | 'acquisition' | 'attributes'>;

async function writeSlices(
  { output, coils, snr, seed, size }: SimulateCommand,
  volume: RealArray,
  description: Description,
  { signal, onProgress }: Session,
): Promise<string> {
  const [slices] = volume.shape;
  const scanner = new SimulatedScanner(objectMedian(volume), { coils, snr, seed, size });
  await using scan = await ScanWriter.create(output, { ...description, slices, matrix: [size, size] });
  for (let s = 0; s < slices; s += 1) {
    const { kspace, image } = await scanner.scan(sliceAt(volume, s), sliceHeight(s, slices), { signal });
    await scan.writeKspace(s, kspace, { signal });
    // The truth: noise of the data has no place in it, unlike in a scanner's own root sum of squares.
    await scan.writeReference(s, magnitude(image), { signal });
    onProgress(0.5 + (0.5 * (s + 1)) / slices, `scanning slice ${s + 1} of ${slices}`);
  }
  await scan.commit();
  return `${count(slices, 'slice')}, ${count(coils, 'coil')}, ${size} x ${size}`;
}

async function writeVolume(
  { output, coils, snr, seed, size }: SimulateCommand,
  volume: RealArray,
  description: Description,
  { signal, onProgress }: Session,
): Promise<string> {
  const [partitions] = volume.shape;
  const { kspace, reference } = await simulateVolume(
    volume,
    { coils, snr, seed, size },
    { signal, onProgress: (fraction) => onProgress(0.5 + 0.4 * fraction, 'scanning') },
  );
  const shape = [size, partitions, size] as const;
  await using scan = await ScanWriter.create(output, {
    ...{ ...description, slices: size, matrix: [partitions, size], volume: true },
  });
  const length = kspace.data.length / coils;
  for (let coil = 0; coil < coils; coil += 1) {
    const data = kspace.data.subarray(coil * length, (coil + 1) * length);
    await scan.writeCoil(coil, { data, shape }, { signal });
    onProgress(0.9 + (0.1 * (coil + 1)) / coils, 'writing');
  }
  for (let position = 0; position < size; position += 1)
    await scan.writeReference(position, sliceAt(reference, position), { signal });
  await scan.commit();
  return `3-D, ${count(coils, 'coil')}, ${size} x ${size} x ${partitions}`;
}

function phantomVolume(
  { phantom, contrast, slices = {}, size, seed }: SimulateCommand,
  session: Session,
): Promise<RealArray> {
  const { first = 0, end = DEFAULT_SLICES } = slices;
  if (first !== 0) throw new LarmorError('ERR_ARGUMENT', 'simulate: --slices of a phantom must start at 0');
  return renderPhantom(
    { family: phantom as PhantomFamily, contrast, seed, size: OVERSAMPLING * size, slices: end },
    { signal: session.signal, onProgress: (fraction) => session.onProgress(fraction / 2, 'drawing the anatomy') },
  );
}

async function storedVolume(
  path: string,
  { slices = {}, size, contrast }: SimulateCommand,
  session: Session,
): Promise<RealArray> {
  if (contrast) throw new LarmorError('ERR_ARGUMENT', 'simulate: --contrast goes with --phantom only');
  session.onProgress(0, 'reading');
  const { volume, spacing } = await readNifti(path);
  const { first, end } = withinSlices(slices, volume.shape[0]);
  return resizeSlices(positive(slicesBetween(volume, first, end)), size, [spacing[1], spacing[2]], {
    signal: session.signal,
    onProgress: (fraction) => session.onProgress(fraction / 2, 'resampling'),
  });
}

/** Magnitudes are not negative; interpolation by the scanner may have left a few that are. */
function positive({ data, shape }: RealArray): RealArray {
  return { data: data.map((value) => Math.max(0, value)), shape };
}
