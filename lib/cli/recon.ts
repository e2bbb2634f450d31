// `larmor recon FILE -o OUT.h5`: reconstructs a scan.

import { Option } from 'commander';
import type { AdaptationOutcome } from '../adaptation/loop.js';
import type { AdaptationOptions } from '../adaptation/options.js';
import { LarmorError } from '../errors.js';
import { writeImages } from '../io/image-file.js';
import type { Metrics } from '../metrics/metrics.js';
import { withoutCurve } from '../reconstruction/manifest.js';
import { REFERENCES, type ReconstructionOptions, type ReferenceKind } from '../reconstruction/options.js';
import { type Reconstruction, reconstruct } from '../reconstruction/reconstruct.js';
import { METHODS } from '../reconstruction/registry.js';
import { DEVICES } from '../runtime/devices.js';
import { MASK_TYPES, type MaskType } from '../sampling/mask.js';
import { integer, number, type SliceRange, sliceRange } from './options.js';
import { expectOutput } from './output.js';
import { writeReconReport } from './recon-report.js';
import type { Outcome, Register, Session } from './shell.js';
import { formatSeconds, table } from './text.js';

interface Flags {
  readonly output: string;
  readonly method?: string;
  readonly model?: string;
  readonly adapt?: true;
  readonly adaptPreset?: 'default' | 'paper';
  readonly adaptIterations?: number;
  readonly timeBudget?: number;
  readonly acceleration?: number;
  readonly centerFraction?: number;
  readonly mask?: MaskType;
  readonly seed?: number;
  readonly slices?: SliceRange;
  readonly regularisation?: number;
  readonly iterations?: number;
  readonly reference: ReferenceKind;
  readonly device: ReconstructionOptions['device'];
  readonly threads?: number;
  readonly parallelism?: number;
  readonly report?: string;
}

export const register: Register = (program, shell) => {
  program
    .command('recon')
    .description('reconstruct a scan')
    .argument('<file>', 'a scan')
    .requiredOption('-o, --output <file>', 'HDF5 file to write: reconstruction [slice, y, x]')
    .addOption(
      new Option('--method <name>', 'default: unet with a model, else cg-sense').choices(
        METHODS.map(({ name }) => name),
      ),
    )
    .option('--model <name>', 'a bundled model, or a .safetensors file')
    .option('--adapt', 'train the network further on every slice')
    .addOption(new Option('--adapt-preset <name>', 'recipe of --adapt').choices(['default', 'paper']))
    .option('--adapt-iterations <n>', 'most training steps a slice', integer({ min: 1 }))
    .option('--time-budget <s>', 'seconds of training a slice', number({ min: 0 }))
    .option('--acceleration <R>', 'undersample a fully sampled scan', number({ min: 1 }))
    .option('--center-fraction <F>', 'share of columns always sampled', number({ min: 0, max: 1 }))
    .addOption(new Option('--mask <type>', 'how columns are drawn').choices(MASK_TYPES))
    .option('--seed <n>', 'of the mask; default: from the file name', integer({ min: 0, max: 0xffff_ffff }))
    .option('--slices <A:B>', 'slices A up to, not including, B, counted from 0', sliceRange)
    .option('--regularisation <w>', 'weight of |x|^2 in CG-SENSE', number({ min: 0 }))
    .option('--iterations <n>', 'iterations of CG-SENSE', integer({ min: 1 }))
    .addOption(new Option('--reference <kind>', 'what metrics compare with').choices(REFERENCES).default('stored'))
    .addOption(new Option('--device <name>', 'where networks run').choices(['auto', ...DEVICES]).default('auto'))
    .option('--threads <n>', 'threads of each slice', integer({ min: 1 }))
    .option('--parallelism <n>', 'slices at once', integer({ min: 1, max: 1024 }))
    .option('--report <folder>', 'also write figures and report.html')
    .action((file: string, flags: Flags) => shell.run((session) => run(file, flags, session)));
};

async function run(input: string, flags: Flags, { signal, onProgress, note }: Session): Promise<Outcome> {
  const { output, report } = flags;
  const options = reconstructionOptions(flags);
  await expectOutput(output, input);
  const result = await reconstruct(input, {
    ...options,
    signal,
    onProgress: ({ fraction, stage, slice }) => onProgress(fraction, `slice ${slice}, ${stage}`),
  });
  for (const { index, warnings } of result.slices) for (const text of warnings) note(`slice ${index}: ${text}`);
  const volumes = { reconstruction: result.image, ...(result.network && { reconstruction_network: result.network }) };
  const page =
    report === undefined
      ? undefined
      : await writeReconReport(report, input, result, { ...options, signal }, onProgress);
  await writeImages(output, volumes, result.manifest, { signal });
  return { json: document(input, output, result, page), text: summary(output, result, page) };
}

function reconstructionOptions(flags: Flags): ReconstructionOptions {
  const { acceleration, centerFraction, mask: type, seed } = flags;
  if (acceleration === undefined && (centerFraction ?? type ?? seed) !== undefined)
    throw new LarmorError('ERR_ARGUMENT', '--center-fraction, --mask and --seed go with --acceleration');
  const { adaptPreset: preset, adaptIterations: maxIterations, timeBudget } = flags;
  const chosen: AdaptationOptions = {
    ...(preset !== undefined && { preset }),
    ...(maxIterations !== undefined && { maxIterations }),
    ...(timeBudget !== undefined && { timeBudget }),
  };
  if (!flags.adapt && Object.keys(chosen).length > 0)
    throw new LarmorError('ERR_ARGUMENT', '--adapt-preset, --adapt-iterations and --time-budget go with --adapt');
  const { method, model, slices, regularisation, iterations, reference, device, threads, parallelism } = flags;
  return {
    ...{ method, model, slices, regularisation, iterations, reference, device, threads, parallelism },
    adapt: flags.adapt ? chosen : false,
    undersample: acceleration === undefined ? undefined : { type, acceleration, centerFraction, seed },
  };
}

function document(input: string, output: string, result: Reconstruction, report: string | undefined): object {
  const { manifest, metrics, networkMetrics, slices } = result;
  const { method, device, seconds } = manifest;
  const documents = slices.map((slice) => ({ ...slice, adaptation: withoutCurve(slice.adaptation) }));
  return { input, output, report, method, device, seconds, metrics, networkMetrics, slices: documents };
}

function summary(output: string, result: Reconstruction, report: string | undefined): string {
  const { image, manifest, metrics, networkMetrics, slices } = result;
  const adaptations = slices.map(({ index, adaptation }) => [`slice ${index}`, adaptation && outcome(adaptation)]);
  const rows = [
    ['output', `${output}, ${image.shape.join(' x ')}`],
    ['report', report],
    ['method', manifest.method],
    ['time', formatSeconds(manifest.seconds)],
    ['quality', metrics && quality(metrics)],
    ['network alone', networkMetrics && quality(networkMetrics)],
    ...adaptations,
  ];
  return table(rows.filter((row): row is string[] => row[1] !== undefined));
}

function outcome({ verdict, iterations, bestIteration }: AdaptationOutcome): string {
  return `${verdict} after ${iterations} steps, best at ${bestIteration}`;
}

function quality({ ssim, psnr, nmse }: Metrics): string {
  return `SSIM ${ssim.toFixed(4)}, PSNR ${psnr.toFixed(2)} dB, NMSE ${nmse.toPrecision(3)}`;
}
