// `larmor maps FILE -o MAPS.h5`: coil sensitivities.

import { Option } from 'commander';
import { type CalibrationOptions, MAP_METHODS } from '../calibration/calibrate.js';
import type { CalibrationDiagnostics } from '../calibration/diagnostics.js';
import { MAP_WEIGHTINGS } from '../calibration/espirit.js';
import { MapsWriter } from '../io/maps-file.js';
import { openScan, type ScanOptions } from '../io/scan.js';
import { softwareVersions } from '../reconstruction/manifest.js';
import { estimateMaps, type SliceMaps } from '../reconstruction/maps.js';
import { sliceRange as slicesOf } from '../reconstruction/options.js';
import { crop, integer, matrix, number, type SliceRange, sliceRange } from './options.js';
import { expectOutput } from './output.js';
import { addScanFlags, unreadParts } from './scan-flags.js';
import type { Outcome, Register, Session } from './shell.js';
import { formatSeconds, table } from './text.js';

interface Flags extends Omit<CalibrationOptions, 'iterations'>, Omit<ScanOptions, 'signal'> {
  readonly output: string;
  readonly slices?: SliceRange;
  readonly matrix?: readonly [number, number];
  readonly threads?: number;
}

export const register: Register = (program, shell) => {
  const command = program
    .command('maps')
    .description('coil sensitivities, from the fully sampled centre of k-space')
    .argument('<file>', 'a scan');
  addScanFlags(command)
    .requiredOption('-o, --output <file>', 'HDF5 file to write: maps [slice, set, coil, y, x]')
    .option('--slices <A:B>', 'slices A up to, not including, B, counted from 0', sliceRange)
    .addOption(new Option('--method <name>', 'default: espirit').choices(MAP_METHODS))
    .option('--calibration-size <n>', 'largest side of the calibration region; default: 24', integer({ min: 1 }))
    .option('--crop <c>', 'eigenvalue below which maps are zero, or "auto"; default: 0.8, low-resolution 0.05', crop)
    .option('--matrix <YxX>', 'pixels of the maps; default: those of k-space', matrix)
    .option('--sets <n>', 'sets of maps; default: 1', integer({ min: 1, max: 16 }))
    .addOption(new Option('--weighting <kind>', 'how maps end; default: hard').choices(MAP_WEIGHTINGS))
    .option(
      '--kernel <n>',
      'side of the k-space patches; default: 6, less where the centre is small',
      integer({ min: 1, max: 64 }),
    )
    .option(
      '--threshold <t>',
      'energy below which patch directions are noise; default: 0.001',
      number({ min: 0, max: 1 }),
    )
    .option('--threads <n>', 'threads', integer({ min: 1 }))
    .action((file: string, flags: Flags) => shell.run((session) => writeMaps(file, flags, session)));
};

async function writeMaps(path: string, flags: Flags, { signal, onProgress, note }: Session): Promise<Outcome> {
  const { output, slices: range, matrix, threads, dataset, contrast, repetition, phase, set } = flags;
  const options = mapOptions(flags);
  await expectOutput(output, path);
  const begun = performance.now();
  await using scan = await openScan(path, { dataset, contrast, repetition, phase, set, signal });
  for (const text of unreadParts(scan)) note(text);
  const indices = slicesOf(scan, range);
  const { method = 'espirit', sets = 1 } = options;
  const shape = [indices.length, sets, scan.coils, ...(matrix ?? scan.matrix)] as const;
  await using writer = await MapsWriter.create(output, shape, { signal });
  const slices: Omit<SliceMaps, 'maps'>[] = [];
  for await (const { maps, ...report } of estimateMaps(scan, { ...options, matrix, slices: range, threads, signal })) {
    await writer.write(slices.length, maps, { signal });
    slices.push(report);
    for (const warning of report.warnings) note(`slice ${report.index}: ${warning}`);
    onProgress(slices.length / indices.length, `slice ${report.index}`);
  }
  const seconds = (performance.now() - begun) / 1000;
  const manifest = {
    ...softwareVersions(),
    method,
    input: scan.name,
    part: scan.contents?.selected,
    options,
    slices,
    seconds,
  };
  await writer.commit(manifest);
  const json = { input: path, output, method, shape, seconds, slices };
  const rows = slices.map(({ index, calibration }) => [`slice ${index}`, describe(calibration)]);
  const title = `${output}: maps [${shape.join(', ')}] in ${formatSeconds(seconds)}`;
  return { json, text: [title, table(rows)].join('\n') };
}

/** The options among the flags; what was not given keeps its default. */
function mapOptions({ method, calibrationSize, crop, sets, weighting, kernel, threshold }: Flags): CalibrationOptions {
  const options = { method, calibrationSize, crop, sets, weighting, kernel, threshold };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The diagnostics of a slice in one line. */
function describe({ centre, acceleration, maps }: CalibrationDiagnostics): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  const facts = [
    `centre ${centre.rows} x ${centre.columns}`,
    `${acceleration.toFixed(2)}x`,
    ...(maps?.kernel ? [`kernel ${maps.kernel}`] : []),
    ...(maps?.crop !== undefined ? [`crop ${maps.crop.toFixed(2)}`] : []),
    ...(maps?.support !== undefined ? [`support ${percent(maps.support)}`] : []),
    ...(maps?.unexplained !== undefined ? [`unexplained ${percent(maps.unexplained)}`] : []),
  ];
  return facts.join(', ');
}
