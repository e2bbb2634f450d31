// `larmor recon FILE -o OUT.h5`: reconstructs a scan.

import type { AdaptationOutcome } from '../adaptation/outcome.js';
import { writeImages } from '../io/image-file.js';
import { openScan, type ScanOptions } from '../io/scan.js';
import type { Metrics } from '../metrics/metrics.js';
import { withoutCurve } from '../reconstruction/manifest.js';
import type { ReconstructionProgress } from '../reconstruction/options.js';
import type { NoiseRecord } from '../reconstruction/preparation.js';
import { reconstruct } from '../reconstruction/reconstruct.js';
import type { Reconstruction } from '../reconstruction/result.js';
import { expectOutput } from './output.js';
import { addReconFlags, type ReconFlags, reconstructionOptions } from './recon-flags.js';
import type { writeReconReport } from './recon-report.js';
import { addScanFlags, scanOptions, unreadParts } from './scan-flags.js';
import type { Outcome, Register, Session } from './shell.js';
import { formatSeconds, table } from './text.js';

interface Flags extends ReconFlags, Omit<ScanOptions, 'signal'> {
  readonly output: string;
  readonly report?: string;
}

export const register: Register = (program, shell) => {
  const command = program
    .command('recon')
    .description('reconstruct a scan')
    .argument('<file>', 'a scan')
    .requiredOption('-o, --output <file>', 'HDF5 file to write: reconstruction [slice, y, x]');
  addScanFlags(addReconFlags(command))
    .option('--report <folder>', 'also write figures and report.html')
    .action((file: string, flags: Flags) => shell.run((session) => run(file, flags, session)));
};

async function run(input: string, flags: Flags, { signal, onProgress, note }: Session): Promise<Outcome> {
  const { output, report } = flags;
  const options = reconstructionOptions(flags);
  await expectOutput(output, input);
  await using scan = await openScan(input, { ...scanOptions(flags), signal });
  for (const text of unreadParts(scan)) note(text);
  const result = await reconstruct(scan, {
    ...options,
    signal,
    onProgress: (progress) => onProgress(progress.fraction, whereabouts(progress)),
  });
  for (const text of result.manifest.noise?.warnings ?? []) note(text);
  for (const { index, warnings } of result.slices) for (const text of warnings) note(`slice ${index}: ${text}`);
  const volumes = { reconstruction: result.image, ...(result.network && { reconstruction_network: result.network }) };
  if (report === undefined) await scan.close(); // the thread that read it then writes: another one would take 0.1 s to start
  await writeImages(output, volumes, result.manifest, { signal }); // first: a report that fails must not cost the images
  const page =
    report === undefined ? undefined : await writeReport(report, scan, result, { ...options, signal }, onProgress);
  return { json: document(input, output, result, page), text: summary(output, result, page) };
}

function whereabouts({ slice, stage, stageEta, device }: ReconstructionProgress): string {
  const place = device === 'cpu' ? '' : ` on ${device}`;
  return `slice ${slice}, ${stage}${place}${stageEta === undefined ? '' : `, at most ${formatSeconds(stageEta)} more`}`;
}

/** Imported on demand: most runs write no report. */
const writeReport: typeof writeReconReport = async (...report) =>
  await (await import('./recon-report.js')).writeReconReport(...report);

function document(input: string, output: string, result: Reconstruction, report: string | undefined): object {
  const { manifest, metrics, networkMetrics, slices } = result;
  const { method, device, deviceReason, noise, seconds } = manifest;
  const documents = slices.map((slice) => ({ ...slice, adaptation: withoutCurve(slice.adaptation) }));
  return {
    input,
    output,
    report,
    method,
    device,
    deviceReason,
    noise,
    seconds,
    metrics,
    networkMetrics,
    slices: documents,
  };
}

function summary(output: string, result: Reconstruction, report: string | undefined): string {
  const { image, manifest, metrics, networkMetrics, slices } = result;
  const adaptations = slices.map(({ index, adaptation }) => [`slice ${index}`, adaptation && outcome(adaptation)]);
  const rows = [
    ['output', `${output}, ${image.shape.join(' x ')}`],
    ['report', report],
    ['method', manifest.method],
    ['device', manifest.device === 'cpu' ? undefined : `${manifest.device}, ${manifest.deviceReason}`],
    ['noise', manifest.noise && whitened(manifest.noise)],
    ['coils', virtualCoils(slices)],
    ['time', formatSeconds(manifest.seconds)],
    ['quality', metrics && quality(metrics)],
    ['network alone', networkMetrics && quality(networkMetrics)],
    ...adaptations,
  ];
  return table(rows.filter((row): row is string[] => row[1] !== undefined));
}

function whitened({ source, condition }: NoiseRecord): string {
  return `white by ${source === 'noise-scan' ? 'the noise scan' : 'the background'}, condition ${condition.toPrecision(3)}`;
}

/** The energy is the least of all slices. */
function virtualCoils(slices: Reconstruction['slices']): string | undefined {
  const compressions = slices.map(({ compression }) => compression).filter((found) => found !== undefined);
  if (compressions.length === 0) return undefined;
  const [fewest, most] = [Math.min, Math.max].map((pick) => pick(...compressions.map(({ coils }) => coils)));
  const kept = 100 * Math.min(...compressions.map(({ keptEnergy }) => keptEnergy));
  return `${fewest === most ? most : `${fewest} to ${most}`} virtual, ${kept.toFixed(2)} % of the energy`;
}

function outcome({ verdict, iterations, bestIteration }: AdaptationOutcome): string {
  return `${verdict} after ${iterations} steps, best at ${bestIteration}`;
}

/** Both SSIMs, for a reference of another intensity (a root sum of squares, where the image is a SENSE combination) lowers the first alone. */
function quality({ ssim, ssimMatched, psnr, nmse }: Metrics): string {
  return `SSIM ${ssim.toFixed(4)} (${ssimMatched.toFixed(4)} with intensities matched), PSNR ${psnr.toFixed(2)} dB, NMSE ${nmse.toPrecision(3)}`;
}
