// Training configurations: one JSON file says network, data, loss and schedule.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { machineMemory } from '../arrays/machine-memory.js';
import { LarmorError } from '../errors.js';
import { configIssue } from '../io/config-issue.js';
import { readJson } from '../io/json-file.js';
import type { RunOptions } from '../jobs.js';
import { loadModel } from '../networks/model.js';
import { createNetwork, type Network } from '../networks/network.js';
import { checkInputKind, INPUT_KINDS } from '../networks/network-input.js';
import type { ParameterStore } from '../networks/parameters.js';
import { MASK_TYPES } from '../sampling/mask.js';
import { SSDU_KINDS } from '../sampling/ssdu.js';
import { Dataset, type DatasetOptions } from './dataset.js';
import { lossDescription, lossSchema, needsTarget } from './losses.js';
import type { TrainingPlan } from './plan.js';
import { MemoryBudget } from './prepared-slices.js';
import { openSource, type SourceConfig, seed, sourceSchema } from './source-config.js';

const fraction = z.number().gt(0).lt(1);

/** Options of ESPIRiT. */
export const calibrationSchema = z.strictObject({
  kernel: z.int().min(2).optional(),
  calibrationSize: z.int().min(2).optional(),
  threshold: z.number().gt(0).lt(1).optional(),
  crop: z.number().gte(0).lt(1).optional(),
});

/** Retrospective undersampling: see `TrainingSampling`. */
export const undersamplingSchema = z.strictObject({
  type: z.enum(MASK_TYPES).default('random'),
  acceleration: z.union([z.number().gte(1), z.array(z.number().gte(1)).min(1)]).default(4),
  centerFraction: z.union([fraction, z.array(fraction).min(1)]).default(0.08),
  /** One mask for all slices and steps, as the paper has it. */
  fixed: z.boolean().default(false),
  seed: seed.default(0),
  /** Undersample scans too that are undersampled already. */
  further: z.boolean().optional(),
  /** Least and largest deviation of noise added to the samples, relative to the brightness of the image; the target stays without it. */
  noise: z.tuple([z.number().gt(0), z.number().gt(0)]).optional(),
});

const warmUp = z.int().min(0).optional();
const floor = z.number().gte(0).lt(1).optional();
const factor = fraction.default(0.1);

const schema = z.strictObject({
  /** Where the model is written. */
  output: z.string().optional(),
  /** Kind of network, and its own settings. */
  network: z.looseObject({ kind: z.string() }).prefault({ kind: 'unet' }),
  /** A model to train on instead, network and weights: a bundled name or a file, also of other software. */
  start: z.string().optional(),
  training: sourceSchema,
  validation: sourceSchema.optional(),
  /** What the network sees: the coil images combined by their maps, or the published split root-sum-of-squares. */
  input: z.enum(INPUT_KINDS).default('sense'),
  calibration: calibrationSchema.prefault({}),
  undersampling: undersamplingSchema.prefault({}),
  /** Changes of the training slices, new at every step: see `Augmentation`. */
  augmentation: z
    .strictObject({
      flip: z.boolean().optional(),
      transpose: z.boolean().optional(),
      shift: z.int().min(0).max(4096).optional(),
      phase: z.boolean().optional(),
      intensity: z.tuple([z.number().gt(0), z.number().gt(0)]).optional(),
    })
    .optional(),
  /** Shares out the measured samples between network and self-supervised loss: see `TrainingSplit`. */
  split: z
    .strictObject({
      kind: z.enum(SSDU_KINDS).default('ssdu-uniform'),
      fraction: fraction.default(0.4),
      protectedCenter: z.int().min(0).default(4),
      widthDivisor: z.number().gt(0).default(4),
      /** Divisions of every slice, one of which is drawn for every step; without it every draw is new. */
      masks: z.int().min(1).max(1_000_000).optional(),
      seed: seed.default(0),
      noise: z.strictObject({ level: z.number().gt(0), alpha: z.number().gt(0).default(1) }).optional(),
    })
    .optional(),
  /** A name, or the terms spelt out. */
  loss: lossSchema.prefault('joint'),
  steps: z.int().min(1).max(10_000_000),
  batch: z.int().min(1).max(256).default(1),
  /** Less memory for unrolled networks: see `TrainingGraphOptions`. */
  recompute: z.boolean().default(false),
  optimiser: z
    .strictObject({
      learningRate: z.number().gt(0).lt(1).default(1e-3),
      beta1: z.number().gte(0).lt(1).default(0.9),
      beta2: z.number().gte(0).lt(1).default(0.999),
      epsilon: z.number().gt(0).default(1e-8),
    })
    .prefault({}),
  /** A kind alone, or with its settings: see `Schedule`. */
  schedule: z
    .union([
      z.enum(['constant', 'cosine']),
      z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('constant'), warmUp }),
        z.strictObject({ kind: z.literal('cosine'), warmUp, floor }),
        z.strictObject({ kind: z.literal('step'), warmUp, every: z.int().min(1), factor }),
        z.strictObject({ kind: z.literal('plateau'), warmUp, patience: z.int().min(1), factor, floor }),
      ]),
    ])
    .default('cosine'),
  /** Batches whose mean gradient makes a step. */
  accumulate: z.int().min(1).max(4096).default(1),
  /** Largest norm of the gradient; a longer one is shortened to it. */
  clip: z.number().gt(0).optional(),
  /** Decay per step of a running average of the weights, which is validated and kept in their place. */
  average: fraction.optional(),
  /** Starting weights that adapt well: see `MetaOptions`. */
  meta: z
    .strictObject({
      innerSteps: z.int().min(1).max(1000).default(5),
      innerLearningRate: z.number().gt(0).default(1e-5),
      order: z.literal('first').default('first'),
      outer: z.enum(['complement', 'loss']).default('complement'),
    })
    .optional(),
  seed: seed.default(0),
  validateEvery: z.int().min(1).default(200),
  /** Validations without a lower loss before training stops. */
  patience: z.int().min(1).optional(),
  /** Steps between checkpoints; 0 writes one only when the run is stopped. Default: one a minute. */
  checkpointEvery: z.int().min(0).optional(),
  /** Memory for prepared slices, and first for batches that wait; slices that it does not hold are read whenever they are needed. Default: half of the machine's. */
  memoryMiB: z.int().min(0).optional(),
  /** Steps whose data are prepared ahead, while others run. */
  prefetch: z.int().min(0).max(64).default(1),
  /** Validation slices to picture. */
  pictures: z.int().min(0).max(64).default(4),
});

/** A training configuration with every default filled in: see `parseTrainingConfig`. */
export type TrainingConfig = z.output<typeof schema>;

/** A configuration with every default filled in. @throws LarmorError `ERR_CONFIG` naming the first wrong field. */
export function parseTrainingConfig(value: unknown, name = 'training configuration'): TrainingConfig {
  const given = Object(value);
  if (Object.hasOwn(given, 'start') && Object.hasOwn(given, 'network'))
    throw new LarmorError('ERR_CONFIG', `${name}: "start" brings its own network; leave "network" out`);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { field, message } = configIssue(schema, parsed.error);
  throw new LarmorError('ERR_CONFIG', `${name}: ${field && `${field}: `}${message}`);
}

/** Reads a JSON file. @throws LarmorError `ERR_FILE_NOT_FOUND`; `ERR_CONFIG`. */
export async function readTrainingConfig(path: string): Promise<TrainingConfig> {
  return parseTrainingConfig(await readJson(path), path);
}

/**
 * The network to train, and the weights to start from where the configuration names a model.
 *
 * @throws LarmorError `ERR_CONFIG` when that model was trained to see another input; as `createNetwork`, `loadModel` and `checkInputKind`.
 */
export async function startingPoint({
  network: { kind, ...settings },
  start,
  input,
}: TrainingConfig): Promise<{ readonly network: Network; readonly weights?: ParameterStore }> {
  const model = start === undefined ? undefined : await loadModel(start);
  if (model && model.input !== input)
    throw new LarmorError(
      'ERR_CONFIG',
      `train: ${start} was trained to see ${model.input}, the configuration gives it ${input}; set "input" to ${model.input}`,
    );
  const network = model?.network ?? createNetwork(kind, settings);
  checkInputKind('train', network, input);
  return model ? { network, weights: model.weights } : { network };
}

/** What of a configuration decides the weights, as a digest: checkpoints carry it. */
export function runDigest(config: TrainingConfig): string {
  const indifferent = { output: 0, checkpointEvery: 0, memoryMiB: 0, prefetch: 0, pictures: 0 };
  const decisive = Object.entries(config).filter(([field]) => !Object.hasOwn(indifferent, field));
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex');
}

/** Fields of a configuration that its plan takes as they are. */
const PLANNED = [
  'steps',
  'batch',
  'recompute',
  'optimiser',
  'schedule',
  'accumulate',
  'clip',
  'average',
  'meta',
  'seed',
  'validateEvery',
  'patience',
] as const satisfies readonly (keyof TrainingConfig & keyof TrainingPlan)[];

/** The plan that a configuration describes. */
export function trainingPlan(config: TrainingConfig): TrainingPlan {
  const planned = Object.fromEntries(PLANNED.map((name) => [name, config[name]]));
  return { ...(planned as Pick<TrainingConfig, (typeof PLANNED)[number]>), loss: lossDescription(config.loss) };
}

/** The memory that a configuration allows for prepared slices. */
export function memoryBudget({ memoryMiB }: Pick<TrainingConfig, 'memoryMiB'>): MemoryBudget {
  return new MemoryBudget(memoryMiB === undefined ? machineMemory() / 2 : memoryMiB * 2 ** 20);
}

/** Examples of the training data that wait for their use. */
export const examplesAhead = ({ batch, accumulate, prefetch }: TrainingConfig): number => batch * accumulate * prefetch;

/** The slices of one part of a configuration, read and calibrated as far as `memory` goes. @throws as `Dataset.prepare` and the sources. */
export async function prepareDataset(
  config: TrainingConfig,
  part: SourceConfig,
  { memory = memoryBudget(config), waiting, ...options }: RunOptions & Pick<DatasetOptions, 'memory' | 'waiting'> = {},
): Promise<Dataset> {
  const { undersampling: sampling, input, calibration, augmentation, split } = config;
  // Without a split the loss would judge the network by what it sees.
  const fullySampled = needsTarget(lossDescription(config.loss)) || split === undefined || config.meta !== undefined;
  const examples = { sampling, input, calibration, augmentation, split, memory, waiting };
  return Dataset.prepare(await openSource(part, { ...options, fullySampled }), examples, options);
}
