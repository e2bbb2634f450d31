// `larmor maps FILE -o MAPS.h5`: coil sensitivities by ESPIRiT.

import type { CalibrationRegion } from '../calibration/espirit.js';
import { MapsWriter } from '../io/maps-file.js';
import { openScan, type ScanOptions } from '../io/scan.js';
import { softwareVersions } from '../reconstruction/manifest.js';
import { estimateMaps } from '../reconstruction/maps.js';
import { sliceRange as slicesOf } from '../reconstruction/options.js';
import { integer, number, type SliceRange, sliceRange } from './options.js';
import { expectOutput } from './output.js';
import { addScanFlags, unreadParts } from './scan-flags.js';
import type { Outcome, Register, Session } from './shell.js';
import { formatSeconds } from './text.js';

interface Flags extends Omit<ScanOptions, 'signal'> {
  readonly output: string;
  readonly slices?: SliceRange;
  readonly sets: number;
  readonly kernel: number;
  readonly calibrationSize: number;
  readonly threshold: number;
  readonly crop: number;
  readonly threads?: number;
}

export const register: Register = (program, shell) => {
  const command = program.command('maps').description('coil sensitivities, by ESPIRiT').argument('<file>', 'a scan');
  addScanFlags(command)
    .requiredOption('-o, --output <file>', 'HDF5 file to write: maps [slice, set, coil, y, x]')
    .option('--slices <A:B>', 'slices A up to, not including, B, counted from 0', sliceRange)
    .option('--sets <n>', 'sets of maps', integer({ min: 1, max: 16 }), 1)
    .option('--kernel <n>', 'side of the k-space patches', integer({ min: 1, max: 64 }), 6)
    .option('--calibration-size <n>', 'largest side of the calibration region', integer({ min: 1 }), 24)
    .option('--threshold <t>', 'energy below which patch directions are noise', number({ min: 0, max: 1 }), 0.001)
    .option('--crop <c>', 'eigenvalue below which maps are zero', number({ min: 0, max: 1 }), 0.8)
    .option('--threads <n>', 'threads', integer({ min: 1 }))
    .action((file: string, flags: Flags) => shell.run((session) => writeMaps(file, flags, session)));
};

async function writeMaps(path: string, flags: Flags, { signal, onProgress, note }: Session): Promise<Outcome> {
  const { output, slices: range, dataset, contrast, repetition, phase, set, ...options } = flags;
  await expectOutput(output, path);
  const begun = performance.now();
  await using scan = await openScan(path, { dataset, contrast, repetition, phase, set, signal });
  for (const text of unreadParts(scan)) note(text);
  const indices = slicesOf(scan, range);
  const shape = [indices.length, flags.sets, scan.coils, ...scan.matrix] as const;
  await using writer = await MapsWriter.create(output, shape, { signal });
  const slices: { index: number; seconds: number; calibration: CalibrationRegion }[] = [];
  for await (const { maps, ...report } of estimateMaps(scan, { ...options, slices: range, signal })) {
    await writer.write(slices.length, maps, { signal });
    slices.push(report);
    onProgress(slices.length / indices.length, `slice ${report.index}`);
  }
  const seconds = (performance.now() - begun) / 1000;
  const manifest = {
    ...softwareVersions(),
    method: 'espirit',
    input: scan.name,
    part: scan.contents?.selected,
    options,
    slices,
    seconds,
  };
  await writer.commit(manifest);
  const json = { input: path, output, shape, seconds, slices };
  return { json, text: `${output}: maps [${shape.join(', ')}] in ${formatSeconds(seconds)}` };
}
