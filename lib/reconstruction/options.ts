// What can be chosen about a reconstruction, checked and completed before any work begins.
import type { AdaptationOptions, AdaptationSettings } from '../adaptation/options.js';
import { type CalibrationOptions, expectCalibrationOptions } from '../calibration/calibrate.js';
import { LarmorError } from '../errors.js';
import type { Scan } from '../io/scan.js';
import { threadCount } from '../jobs.js';
import type { Model } from '../networks/model.js';
import { type Device, type DeviceRequest, type ResolvedDevice, resolveDevice } from '../runtime/devices.js';
import { type Finishing, type FinishingOptions, planFinishing } from './finish.js';
import type { Method, Stage } from './method.js';
import { expectSuited, methodOfModel } from './network-methods.js';
import { contrastsOf } from './other-contrasts.js';
import { type PreparationOptions, type PreparationPlan, planPreparation } from './preparation.js';
import { methodByName } from './registry.js';
import { planSampling, type Sampling, type Undersampling } from './sampling.js';
import { type MethodSettings, methodSettings, SETTING_NAMES } from './settings.js';

/**
 * Signal threshold of ESPIRiT where the maps are to be reconstructed with: a ratio of singular values of 0.02. The 0.03 of its authors'
 * program cuts into the signal where few centre lines were measured: with ten lines of a 16-coil scan CG-SENSE loses 5 dB.
 */
const SIGNAL_THRESHOLD = 0.0004;

/** How far a reconstruction is. */
export interface ReconstructionProgress {
  readonly stage: Stage;
  /** Position of the slice in the scan. */
  readonly slice: number;
  /** Slices finished. */
  readonly done: number;
  readonly total: number;
  /** Of the whole reconstruction, from 0 to 1. */
  readonly fraction: number;
  /** Seconds left, once there is something to judge by. */
  readonly eta: number | undefined;
  /** Seconds left of this stage of this slice, at most, where that is known: of adaptation, after its first step. */
  readonly stageEta?: number | undefined;
  /** Where the reconstruction runs, such as `cpu` or `cuda`. */
  readonly device: string;
}

export const REFERENCES = ['stored', 'sense'] as const;

/**
 * `stored`: the file's own, or else the root sum of squares of fully sampled k-space; it holds the noise of every coil.
 * `sense`: fully sampled k-space combined with ESPIRiT maps from its own centre; zero outside the object.
 */
export type ReferenceKind = (typeof REFERENCES)[number];

/** Slices from `first` (default 0) up to but not including `end` (default: the last). */
export interface SliceRange {
  readonly first?: number | undefined;
  readonly end?: number | undefined;
}

/** What can be chosen about a reconstruction. */
export interface ReconstructionOptions extends MethodSettings, PreparationOptions, FinishingOptions {
  /** One of `METHODS` by its name. Default: that of the model, `unet`, `unrolled` or `varnet`, else `cg-sense`. */
  readonly method?: string | undefined;
  /** A loaded model, the name of a bundled one, or the path of a safetensors file. */
  readonly model?: Model | string | undefined;
  /** Train the network further on every slice. Default: false. */
  readonly adapt?: boolean | AdaptationOptions | undefined;
  /** Of a fully sampled scan. */
  readonly undersample?: Undersampling | undefined;
  /** Slices from `first` up to but not including `end`. Default: all. */
  readonly slices?: SliceRange | undefined;
  /** Default: auto, the fastest that is there, passed its self-test and suits the method. */
  readonly device?: Device | 'auto' | undefined;
  /** Threads of each slice; the image does not depend on it. */
  readonly threads?: number | undefined;
  /** Slices at once; memory grows with it. Default: 1, or 4 for every CUDA device. */
  readonly parallelism?: number | undefined;
  /** Of the coil sensitivities. */
  readonly calibration?: CalibrationOptions | undefined;
  /** Coil sensitivities to use instead: an HDF5 file with `maps` [slice, set, coil, y, x], as `larmor maps` writes it. */
  readonly maps?: string | undefined;
  /** What metrics compare with. Default: stored. */
  readonly reference?: ReferenceKind | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ReconstructionProgress) => void) | undefined;
}

/** Checked options of one scan. */
export interface Plan {
  readonly method: Method;
  readonly model: Model | undefined;
  readonly adapt: AdaptationSettings | undefined;
  readonly sampling: Sampling;
  /** Positions in the scan. */
  readonly slices: readonly number[];
  readonly device: ResolvedDevice;
  readonly threads: number;
  readonly parallelism: number;
  readonly calibration: CalibrationOptions;
  readonly maps: string | undefined;
  readonly settings: MethodSettings;
  readonly preparation: PreparationPlan;
  readonly finishing: Finishing;
  /** Undefined where there is nothing to compare with. */
  readonly reference: ReferenceKind | undefined;
}

/** Every option's name but the settings'; the compiler keeps it complete. */
const OPTIONS: Record<Exclude<keyof ReconstructionOptions, keyof MethodSettings>, true> = {
  method: true,
  model: true,
  adapt: true,
  undersample: true,
  slices: true,
  device: true,
  threads: true,
  parallelism: true,
  calibration: true,
  maps: true,
  whiten: true,
  compress: true,
  partialFourier: true,
  filter: true,
  interpolate: true,
  reference: true,
  signal: true,
  onProgress: true,
};
const SLICE_RANGE: Record<keyof SliceRange, true> = { first: true, end: true };

/** A misspelt option must not be taken for its default. */
function expectKnown(what: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new LarmorError('ERR_ARGUMENT', `reconstruct: ${what} must be one of ${known.join(', ')}, got ${unknown}`);
}

/** @throws LarmorError `ERR_ARGUMENT` naming the first wrong option; `ERR_MODEL`, `ERR_DEVICE`, `ERR_MASK`, `ERR_NOISE`. */
export async function planReconstruction(scan: Scan, options: ReconstructionOptions): Promise<Plan> {
  expectKnown('an option', options, [...Object.keys(OPTIONS), ...SETTING_NAMES]);
  expectKnown('a field of slices', options.slices ?? {}, Object.keys(SLICE_RANGE));
  const named = options.method === undefined ? undefined : methodByName(options.method);
  const model = await modelOf(options);
  const method = named ?? methodByName(model ? methodOfModel(model) : 'cg-sense');
  const { adapt = false } = options;
  if (method.needsModel && model === undefined)
    throw new LarmorError('ERR_ARGUMENT', `reconstruct: method ${method.name} needs a model; name one with "model"`);
  if (!method.needsModel && (model !== undefined || adapt !== false))
    throw new LarmorError('ERR_ARGUMENT', `reconstruct: method ${method.name} takes neither model nor adapt`);
  if (model) expectSuited(method.name, model);
  if (!method.adapts && adapt !== false)
    throw new LarmorError('ERR_ARGUMENT', `reconstruct: method ${method.name} cannot adapt; leave adapt out`);
  if (options.maps !== undefined && options.calibration !== undefined)
    throw new LarmorError('ERR_ARGUMENT', 'reconstruct: maps and calibration exclude each other; leave one out');
  const { parallelism } = options;
  if (parallelism !== undefined && (!Number.isSafeInteger(parallelism) || parallelism < 1))
    throw new LarmorError('ERR_ARGUMENT', `reconstruct: parallelism must be a positive integer, got ${parallelism}`);
  const settings = methodSettings(method, options);
  if (method.joint?.(settings) === 'contrasts' && contrastsOf(scan).length < 2)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `reconstruct: ${scan.name} has one contrast; several at once need an ISMRMRD file that has them`,
    );
  const adaptation = adapt === false ? undefined : await settingsOf(adapt, model);
  const device = await resolveDevice(options.device ?? 'auto', deviceRequest(method));
  const sampling = planSampling(scan, options.undersample);
  const finishing = planFinishing(scan, sampling.mask, options);
  return {
    method,
    model,
    adapt: adaptation,
    settings,
    sampling,
    finishing,
    slices: sliceRange(scan, options.slices),
    device,
    threads: threadCount({ threads: options.threads }),
    parallelism: method.sequential?.({ adapt: adaptation, settings }) ? 1 : (parallelism ?? slicesAtOnce(device)),
    calibration: calibrationOptions(options.calibration),
    maps: options.maps,
    preparation: await planPreparation(scan, options, { signal: options.signal }),
    reference: finishing.interpolated ? undefined : referenceKind(scan, options.reference),
  };
}

/** What a method asks of a device. */
function deviceRequest({ name, needsModel, devices = ['cpu'] }: Method): DeviceRequest {
  return { who: `method ${name}`, task: needsModel ? 'networks' : 'operators', kinds: devices };
}

/** By default: enough that a device does not wait for slices to be read and calibrated, and takes several side by side. */
function slicesAtOnce({ kind, indices }: ResolvedDevice): number {
  return kind === 'cuda' ? 4 * indices.length : 1;
}

/** The model named; for zero-shot learning one with random weights, where none is. */
async function modelOf({ model, method, adapt }: ReconstructionOptions): Promise<Model | undefined> {
  if (typeof model === 'string') return load(model);
  const learns = typeof adapt === 'object' && adapt.preset === 'zero-shot' && (method ?? 'unrolled') === 'unrolled';
  if (model !== undefined || !learns) return model;
  const { untrainedModel } = await import('../adaptation/zero-shot.js');
  return untrainedModel(adapt.seed);
}

function calibrationOptions(options: CalibrationOptions = {}): CalibrationOptions {
  expectCalibrationOptions(options);
  return options.method === 'low-resolution' ? options : { threshold: SIGNAL_THRESHOLD, ...options };
}

function referenceKind(scan: Scan, wanted: ReferenceKind = 'stored'): ReferenceKind | undefined {
  if (!REFERENCES.includes(wanted))
    throw new LarmorError(
      'ERR_ARGUMENT',
      `reconstruct: reference must be one of ${REFERENCES.join(', ')}, got ${wanted}`,
    );
  if (wanted === 'sense' && !scan.fullySampled)
    throw new LarmorError('ERR_ARGUMENT', `reconstruct: reference "sense" needs a fully sampled scan`);
  return scan.fullySampled || scan.hasReference ? wanted : undefined;
}

/** Imported on demand, as its checks take a fifth of the program's start. */
async function settingsOf(adapt: true | AdaptationOptions, model: Model | undefined): Promise<AdaptationSettings> {
  const { adaptationSettings } = await import('../adaptation/options.js');
  return adaptationSettings(adapt === true ? {} : adapt, model?.network);
}

/** Imported on demand: the methods without networks then start without what networks need. */
async function load(nameOrPath: string): Promise<Model> {
  const { loadModel } = await import('../networks/model.js');
  return await loadModel(nameOrPath);
}

/** Positions within the scan. @throws LarmorError `ERR_ARGUMENT`. */
export function sliceRange(scan: Scan, { first = 0, end = scan.slices }: SliceRange = {}): number[] {
  if (!Number.isInteger(first) || !Number.isInteger(end) || first < 0 || first >= end || end > scan.slices)
    throw new LarmorError(
      'ERR_ARGUMENT',
      `slices must lie within 0:${scan.slices}, the first before the end, got ${first}:${end}`,
    );
  return Array.from({ length: end - first }, (_, i) => first + i);
}
