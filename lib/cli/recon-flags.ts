// The flags that say how to reconstruct, and the options they stand for.

import { type Command, Option } from 'commander';
import { type CalibrationOptions, MAP_METHODS, type MapMethod } from '../calibration/calibrate.js';
import { COMPRESSION_METHODS, type CompressionMethod } from '../calibration/coil-compression.js';
import { MAP_WEIGHTINGS, type MapWeighting } from '../calibration/espirit.js';
import { LarmorError } from '../errors.js';
import { WAVELETS } from '../operators/wavelet.js';
import { type FinishingOptions, PARTIAL_FOURIER } from '../reconstruction/finish.js';
import { REFERENCES, type ReconstructionOptions, type ReferenceKind } from '../reconstruction/options.js';
import { WHITENINGS, type Whitening } from '../reconstruction/preparation.js';
import { METHODS } from '../reconstruction/registry.js';
import { LOW_RANK_AXES, type MethodSettings, SETTING_NAMES, type SettingName } from '../reconstruction/settings.js';
import { MASK_TYPES, type MaskType } from '../sampling/mask.js';
import { POINT_MASK_TYPES, type PointMaskType } from '../sampling/point-mask.js';
import { type AdaptFlags, adaptationOf, addAdaptFlags } from './adapt-flags.js';
import {
  crop,
  device,
  integer,
  interpolation,
  kernelSize,
  number,
  type SliceRange,
  sliceRange,
  window,
} from './options.js';

type Compression = ReconstructionOptions['compress'];

/** As parsed from the command line. */
export interface ReconFlags extends MethodSettings, FinishingOptions, AdaptFlags {
  readonly method?: string;
  readonly model?: string;
  readonly acceleration?: number;
  readonly centerFraction?: number;
  readonly mask?: MaskType | PointMaskType;
  readonly seed?: number;
  readonly slices?: SliceRange;
  readonly mapsMethod?: MapMethod;
  readonly sets?: number;
  readonly crop?: number | 'auto';
  readonly weighting?: MapWeighting;
  readonly maps?: string;
  readonly whiten?: Whitening;
  readonly compress?: number | 'auto' | false;
  readonly compressMethod?: CompressionMethod;
  readonly compressEnergy?: number;
  readonly reference?: ReferenceKind;
  readonly device: ReconstructionOptions['device'];
  readonly threads?: number;
  readonly parallelism?: number;
}

/** The flag of every setting, named like it; the compiler keeps it complete. */
const SETTING_FLAGS: Record<SettingName, Option> = {
  regularisation: new Option('--regularisation <w>', 'weight of the prior').argParser(number({ min: 0 })),
  iterations: new Option('--iterations <n>', 'most iterations of the solver').argParser(integer({ min: 1 })),
  tolerance: new Option('--tolerance <t>', 'where the solver stops early').argParser(number({ min: 0, max: 1 })),
  wavelet: new Option('--wavelet <name>', 'in which images are sparse').choices(WAVELETS),
  blockSize: new Option('--block-size <n>', 'side of the blocks of low rank').argParser(integer({ min: 1 })),
  across: new Option('--across <what>', 'images of low rank together; default: coils').choices(LOW_RANK_AXES),
  kernel: new Option('--kernel <size>', 'window of k-space: 5, or 4x5 along ky x kx').argParser(kernelSize),
};

/** Adds the flags that say how every slice is sampled, prepared and turned into images. */
export function addMethodFlags(command: Command): Command {
  command
    .addOption(
      new Option('--method <name>', 'default: that of the model, else cg-sense').choices(
        METHODS.map(({ name }) => name),
      ),
    )
    .option('--model <name>', 'a bundled model, or a .safetensors, .onnx, .pt or .ckpt file');
  for (const option of Object.values(SETTING_FLAGS)) command.addOption(option);
  return command
    .option('--acceleration <R>', 'undersample a fully sampled scan', number({ min: 1 }))
    .option('--center-fraction <F>', 'share of columns, or of both axes, always sampled', number({ min: 0, max: 1 }))
    .addOption(
      new Option('--mask <type>', 'how columns, or points of 3-D scans, are drawn').choices([
        ...MASK_TYPES,
        ...POINT_MASK_TYPES,
      ]),
    )
    .option('--seed <n>', 'of the mask; default: from the file name', integer({ min: 0, max: 0xffff_ffff }))
    .option('--slices <A:B>', 'slices A up to, not including, B, counted from 0', sliceRange)
    .addOption(new Option('--maps-method <name>', 'how coil maps are estimated; default: espirit').choices(MAP_METHODS))
    .option('--sets <n>', 'sets of coil maps; default: 1', integer({ min: 1, max: 16 }))
    .option('--crop <c>', 'eigenvalue below which coil maps are zero, or "auto"; default: 0.8', crop)
    .addOption(new Option('--weighting <kind>', 'how coil maps end; default: hard').choices(MAP_WEIGHTINGS))
    .option('--maps <file>', 'use the coil maps of a file that larmor maps wrote')
    .addOption(new Option('--whiten <source>', 'make the noise of coils white, by').choices(WHITENINGS))
    .option('--compress <n>', 'virtual coils; auto: 16 of more than 16; none', virtualCoils)
    .addOption(new Option('--compress-method <name>', 'of virtual coils; default: svd').choices(COMPRESSION_METHODS))
    .option('--compress-energy <share>', 'as many virtual coils as hold it', number({ min: 0, max: 1 }))
    .option('--device <name>', 'where to compute: auto, cpu, cuda, cuda:N or webgpu', device, 'auto')
    .option('--threads <n>', 'threads of each slice', integer({ min: 1 }));
}

/** Adds all flags of a reconstruction. */
export function addReconFlags(command: Command): Command {
  return addAdaptFlags(addMethodFlags(command))
    .addOption(new Option('--partial-fourier <name>', 'complete one-sided k-space').choices(PARTIAL_FOURIER))
    .option('--filter <window>', 'damp the edges of k-space: hann, or tukey:WIDTH:TAPER', window)
    .option('--interpolate <size>', 'fill k-space with zeros: a factor, or YxX pixels', interpolation)
    .addOption(new Option('--reference <kind>', 'what metrics compare with').choices(REFERENCES).default('stored'))
    .option('--parallelism <n>', 'slices at once', integer({ min: 1, max: 1024 }));
}

/** @throws LarmorError `ERR_ARGUMENT` for a flag that goes with another one. */
export function reconstructionOptions(flags: ReconFlags): ReconstructionOptions {
  const { acceleration, centerFraction, mask: type, seed } = flags;
  if (acceleration === undefined && (centerFraction ?? type ?? seed) !== undefined)
    throw new LarmorError('ERR_ARGUMENT', '--center-fraction, --mask and --seed go with --acceleration');
  const { partialFourier, filter, interpolate } = flags;
  const { method, model, slices, maps, whiten, reference, device, threads, parallelism } = flags;
  return {
    ...{ method, model, slices, maps, whiten, reference, device, threads, parallelism },
    compress: compression(flags),
    ...{ partialFourier, filter, interpolate },
    ...Object.fromEntries(SETTING_NAMES.map((name) => [name, flags[name]])),
    calibration: calibrationOptions(flags),
    adapt: adaptationOf(flags),
    undersample: acceleration === undefined ? undefined : { type, acceleration, centerFraction, seed },
  };
}

/** What the flags say about coil maps; undefined where they say nothing. */
function calibrationOptions({ mapsMethod: method, sets, crop, weighting }: ReconFlags): CalibrationOptions | undefined {
  const named = Object.entries({ method, sets, crop, weighting }).filter(([, value]) => value !== undefined);
  return named.length > 0 ? Object.fromEntries(named) : undefined;
}

/** `auto`, `none` or a number of coils. */
function virtualCoils(text: string): number | 'auto' | false {
  if (text === 'auto') return 'auto';
  return text === 'none' ? false : integer({ min: 1 })(text);
}

function compression({ compress, compressMethod: method, compressEnergy: energy }: ReconFlags): Compression {
  if (method === undefined && energy === undefined) return compress;
  if (compress === false || compress === 'auto' || (compress !== undefined && energy !== undefined))
    throw new LarmorError(
      'ERR_ARGUMENT',
      '--compress-method and --compress-energy go without --compress auto or none; a number of coils goes without an energy',
    );
  return { method, coils: compress, energy };
}
